// What the director refuses, as the API says it.

import Deployments

extension Problem {
    init(_ error: TrafficDirectorError) {
        let detail = "\(error)"
        switch error {
        case .notLoaded:
            self = Problem(status: 503, code: "NOT_LOADED", detail: detail)
            headers["retry-after"] = "1"
        case .unknownService:
            self = Problem(
                status: 404, code: "SERVICE_NOT_FOUND", detail: detail,
                hint: "GET /v1/services lists them")
        case .unknownEndpoint:
            self = Problem(
                status: 404, code: "ENDPOINT_NOT_FOUND", detail: detail,
                hint: "write the address as GET /v1/services/{name} shows it, '/' as %2F")
        case .unknownRevision(_, let revision, _):
            self = Problem(
                status: 422, code: "INVALID_TRAFFIC", detail: detail,
                parts: [.member(revision, "UNKNOWN_REVISION", detail)])
        case .outOfRange(_, let revision, _):
            self = Problem(
                status: 422, code: "INVALID_TRAFFIC", detail: detail,
                parts: [.member(revision, "OUT_OF_RANGE", detail)])
        case .doesNotSum:
            self = Problem(
                status: 422, code: "INVALID_TRAFFIC", detail: detail,
                parts: [Part(pointer: "", code: "SUM_NOT_100", message: detail)])
        case .nameClash:
            self = Problem(status: 409, code: "NAME_CLASH", detail: detail)
        case .notStored:
            self = Problem(
                status: 503, code: "STATE_UNAVAILABLE", detail: detail,
                hint: "traffic flows on as before; make the state directory writable again")
        case .notApplied:
            self = Problem(status: 500, code: "NOT_APPLIED", detail: detail)
        case .notYetInForce:
            self = Problem(
                status: 503, code: "NOT_YET_IN_FORCE", detail: detail,
                hint: "GET /v1/system shows the generation in force")
            headers["retry-after"] = "1"
        }
    }
}
