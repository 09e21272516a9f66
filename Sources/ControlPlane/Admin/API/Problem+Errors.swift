// Every error that can reach the door, as the API says it: one code for programs, one sentence and
// one hint for people.

import Deployments
import Notation
import State

extension Problem {
    /// - Parameter isAdmin: told also what only an admin may know.
    static func of(_ error: any Error, isAdmin: Bool = false) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as TrafficDirectorError: Problem(error)
        case let error as ControlError: Problem(error, isAdmin: isAdmin)
        case let error as SpecProblems: Problem(error, code: "INVALID_DEPLOYMENT")
        case let error as ModelError: Problem(error)
        case let error as VariableError: Problem(error)
        case let error as StateError: Problem(error)
        case is CancellationError:
            Problem(status: 503, code: "STOPPING", detail: "the gateway is stopping")
        default: Problem(status: 500, code: "INTERNAL", detail: "\(error)")
        }
    }

    /// What is wrong with a body, each part at its place.
    init(_ problems: SpecProblems, code: String) {
        let codes = Set(problems.problems.map(\.code))
        // A body that is wrong in one way only is told by that.
        let single = codes.count == 1 ? codes.first : nil
        let special: [SpecProblem.Code] = [.immutable, .useUpdateModel]
        self.init(
            status: 422, code: single.flatMap { special.contains($0) ? $0.rawValue : nil } ?? code,
            detail: problems.problems.first.map { problem in
                problem.pointer.isEmpty
                    ? problem.message : "\(problem.pointer): \(problem.message)"
            } ?? "the body is not valid", hint: problems.hint,
            parts: problems.problems.map {
                Part(pointer: $0.pointer, code: $0.code.rawValue, message: $0.message)
            })
    }

    init(_ error: ControlError, isAdmin: Bool) {
        switch error {
        case .notFound(let name, let deletedAt):
            self.init(
                status: 404, code: "DEPLOYMENT_NOT_FOUND",
                detail: "there is no deployment \(Spelling.quoted(name))",
                hint: "GET /v1/deployments lists them")
            if isAdmin, let deletedAt {
                members.append(.init(name: "deleted_at", value: .time(deletedAt)))
            }
        case .nameTaken(let name):
            self.init(
                status: 409, code: "NAME_TAKEN", detail: "there is a '\(name)' already",
                parts: [
                    .member(
                        "name", "NAME_TAKEN",
                        "there is a '\(name)' already; names are unique over all environments")
                ])
        case .invalid(let problems): self.init(problems, code: "INVALID_DEPLOYMENT")
        case .illegal(let action, let status, let hint):
            self.init(
                status: 409, code: "ILLEGAL_STATE",
                detail: "'\(action)' is not possible while the deployment is \(status)", hint: hint)
        case .busy(let operation):
            self.init(
                status: 409, code: "OPERATION_RUNNING",
                detail: "'\(operation.action)' is at work on it"
                    + (operation.message.isEmpty ? "" : ": \(operation.message)"),
                hint: "wait for it, or add ?onConflict=queue or ?onConflict=supersede")
            members.append(.init(name: "operation", value: operation.json))
        case .queueFull(let operation, let limit):
            self.init(
                status: 409, code: "QUEUE_FULL",
                detail: "\(limit) changes wait already for '\(operation.action)' to end",
                hint: "wait until one has begun, or add ?onConflict=supersede")
            members.append(.init(name: "operation", value: operation.json))
        case .stale(let expected, let found):
            self.init(
                status: 412, code: "STALE_VERSION",
                detail: "it was changed meanwhile: it is at version \(found), not \(expected)",
                hint: "read it again, then decide")
        default: self = Problem.further(error)
        }
    }

    private static func further(_ error: ControlError) -> Problem {
        switch error {
        case .overtaken:
            return Problem(
                status: 409, code: "OVERTAKEN", detail: "\(error)",
                hint: "nothing was changed", headers: ["retry-after": "1"])
        case .doesNotFit(let plan):
            var problem = Problem(
                status: 409, code: "DOES_NOT_FIT",
                detail: "there is no room: \(plan.fit.reasons.joined(separator: "; "))",
                hint: plan.fit.alternatives.isEmpty
                    ? nil : "possible: \(plan.fit.alternatives.joined(separator: "; "))")
            problem.members.append(.init(name: "plan", value: plan.json))
            return problem
        case .unknownReplica(let name, let deployment, let known):
            return Problem(
                status: 404, code: "REPLICA_NOT_FOUND",
                detail: "'\(deployment)' has no replica \(Spelling.quoted(name)); there is: "
                    + list(known))
        case .unknownRevision(let number, let deployment, let known):
            return Problem(
                status: 404, code: "REVISION_NOT_FOUND",
                detail: "'\(deployment)' has no revision \(number); there is: "
                    + list(known.map(String.init)))
        case .unknownOperation(let id):
            return Problem(
                status: 404, code: "OPERATION_NOT_FOUND",
                detail: "there is no operation \(Spelling.quoted(id))")
        case .model(let error): return Problem(error, isBody: true)
        case .needsAdmin(let what):
            return Problem(
                status: 403, code: "NEEDS_ADMIN", detail: "only an admin may \(what)")
        case .needsUpdate(let what):
            return Problem(
                status: 403, code: "FORBIDDEN", detail: "the token may not \(what)",
                hint: "without the right to update, a rollback goes back: to a revision that has "
                    + "run as it should and whose content is older than what runs")
        case .notSupported(let what, let hint):
            return Problem(
                status: 422, code: "NOT_SUPPORTED_YET", detail: "\(what) is not supported yet",
                hint: hint)
        case .readOnly(let reason):
            return .unavailable("the change could not be stored, so nothing was changed: \(reason)")
        default:
            return Problem(status: 500, code: "INTERNAL", detail: "\(error)")
        }
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.prefix(20).joined(separator: ", ")
    }

    static func unavailable(_ detail: String) -> Problem {
        Problem(
            status: 503, code: "STATE_UNAVAILABLE", detail: detail,
            hint: "what runs goes on as before; make the state directory writable again",
            headers: ["retry-after": "1"])
    }

    /// - Parameter isBody: it was the body that named the version, not the path.
    init(_ error: ModelError, isBody: Bool = false) {
        let detail = "\(error)"
        switch error {
        case .unknown(let model, _, _):
            self.init(
                status: isBody ? 422 : 404, code: "MODEL_VERSION_NOT_FOUND", detail: detail,
                hint: "register it: POST /v1/models/\(model)/versions",
                parts: isBody
                    ? [.member("version", "UNKNOWN_VERSION", "there is no such version")] : [])
        case .unknownModel:
            self.init(
                status: isBody ? 422 : 404, code: "MODEL_NOT_FOUND", detail: detail,
                hint: "registering a version makes its model: POST /v1/models/{model}/versions")
        case .missing, .unreadable, .unfit, .tooMany:
            self.init(invalid: "artifact", detail)
        case .differs:
            self.init(
                status: 409, code: "VERSION_EXISTS", detail: detail,
                hint: "a version never changes; register another one")
        case .unexpected:
            self.init(invalid: "sha256", detail)
        case .altered:
            self.init(
                status: 409, code: "ARTIFACT_ALTERED", detail: detail,
                hint: "put the files back, or register what is there as another version")
        case .inUse:
            self.init(status: 409, code: "VERSION_IN_USE", detail: detail)
        }
    }

    private init(invalid member: String, _ message: String) {
        self.init(
            status: 422, code: "INVALID_ARTIFACT", detail: message,
            parts: [.member(member, "INVALID_VALUE", message)])
    }

    init(_ error: StateError) {
        switch error {
        case .compacted(let since, let oldest):
            self.init(
                status: 410, code: "COMPACTED",
                detail: "changes since \(since) are no longer known, only those since \(oldest)",
                hint: "list again, then watch since the list's sequence")
        case .badPageToken: self = Pager.refused
        case .missing(let key):
            self.init(status: 404, code: "NOT_FOUND", detail: "there is no \(key)")
        case .stale(let key, let expected, let found):
            self.init(
                status: 412, code: "STALE_VERSION",
                detail: "\(key) was changed meanwhile: it is at version \(found), not \(expected)")
        case .exists(let key, _):
            self.init(status: 409, code: "NAME_TAKEN", detail: "there is a \(key) already")
        case .wouldReplace(let file):
            self.init(status: 409, code: "FILE_EXISTS", detail: "\(file) is there already")
        case .invalid(let what, let reason):
            self.init(status: 422, code: "INVALID_BODY", detail: "\(what): \(reason)")
        case .handingOver:
            self.init(
                status: 503, code: "UPGRADING", detail: "\(error)",
                hint: "reading works; nothing was changed", headers: ["retry-after": "1"])
        case .tooLarge, .tooMany:
            self.init(status: 422, code: "TOO_LARGE", detail: "\(error)")
        case .noRoom:
            self.init(
                status: 503, code: "LIMIT_REACHED", detail: "\(error)",
                hint: "nothing was changed; remove what is not needed any more, or try again later",
                headers: ["retry-after": "60"])
        default:
            self =
                error.isUnavailable
                ? .unavailable("\(error)")
                : Problem(status: 500, code: "INTERNAL", detail: "\(error)")
        }
    }
}

extension Problem {
    init(_ error: VariableError) {
        switch error {
        case .unknown(let kind, _, _), .unknownVersion(let kind, _, _, _):
            self.init(
                status: 404, code: "\(kind.rawValue.uppercased())_NOT_FOUND", detail: "\(error)")
        case .elsewhere:
            self.init(
                status: 409, code: "OTHER_ENVIRONMENT", detail: "\(error)",
                hint: "an environment never changes; choose another name")
        case .remade:
            self.init(status: 409, code: "REMADE", detail: "\(error)")
        case .inUse:
            self.init(
                status: 409, code: "IN_USE", detail: "\(error)",
                hint: "take it out of them first, or delete them; a revision that a deployment can "
                    + "go back to uses it, too")
        }
    }
}
