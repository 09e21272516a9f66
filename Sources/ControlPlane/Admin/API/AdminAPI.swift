// The front of the admin port: admits, authorizes, routes, and turns every error into a problem.
// Handlers stand in the extensions beside this file; none of them knows about sockets.

package import Deployments
import Foundation
import Notation
package import Traffic

package struct AdminAPI: Sendable {
    /// Bytes of a request body; a split of a thousand revisions fits many times.
    package static let bodyBytesMax = 1024 * 1024

    let access: AdminAccess
    let director: TrafficDirector
    let stats: StatsRecorder
    let version: String
    /// What keeps the gateway from being ready, in words; empty when nothing does.
    let readiness: @Sendable () async -> [String]
    let now: @Sendable () -> Instant
    let startedAt: Date

    /// `now` is a monotonic clock.
    package init(
        access: AdminAccess, director: TrafficDirector, stats: StatsRecorder, version: String,
        readiness: @escaping @Sendable () async -> [String],
        now: @escaping @Sendable () -> Instant
    ) {
        self.access = access
        self.director = director
        self.stats = stats
        self.version = version
        self.readiness = readiness
        self.now = now
        startedAt = Date()
    }

    package func respond(to request: AdminRequest) async -> AdminResponse {
        do {
            let route = try admitted(request)
            guard request.body.count <= AdminAPI.bodyBytesMax else { throw AdminAPI.tooLarge }
            return finished(try await answer(request, at: route), request)
        } catch {
            return refused(error, request)
        }
    }

    /// The answer to a request that is refused by its head alone, so that nobody unknown has a
    /// body read; nil when the body is wanted.
    package func refusal(of request: AdminRequest) -> AdminResponse? {
        do {
            _ = try admitted(request)
            return nil
        } catch {
            return refused(error, request)
        }
    }

    /// Whether the path leads somewhere is told only to those who may know.
    private func admitted(_ request: AdminRequest) throws -> AdminRoute {
        try access.admit(request)
        let path = String(request.target.prefix { $0 != "?" })
        let found = Result { () throws(Problem) in try AdminRoute(path: path) }
        // A failure here is told below, after the token.
        try access.authorize(request, for: try? found.get())
        let route = try found.get()
        guard route.methods.contains(request.method) else {
            throw Problem(
                status: 405, code: "METHOD_NOT_ALLOWED",
                detail: "'\(path)' takes \(route.methods.joined(separator: ", "))",
                headers: ["allow": route.methods.joined(separator: ", ")])
        }
        try AdminAPI.refuseParameters(of: request.target.dropFirst(path.count))
        return route
    }

    private func refused(_ error: any Error, _ request: AdminRequest) -> AdminResponse {
        let problem =
            switch error {
            case let problem as Problem: problem
            case let error as TrafficDirectorError: Problem(error)
            default: Problem(status: 500, code: "INTERNAL", detail: "\(error)")
            }
        let requestID = AdminAPI.requestID(request)
        return finished(problem.response(requestID: requestID), request, requestID: requestID)
    }

    private func finished(
        _ answer: AdminResponse, _ request: AdminRequest, requestID: String? = nil
    ) -> AdminResponse {
        var response = answer
        response.headers["x-request-id"] = requestID ?? AdminAPI.requestID(request)
        response.headers["x-content-type-options"] = "nosniff"
        return response
    }

    private func answer(
        _ request: AdminRequest, at route: AdminRoute
    ) async throws -> AdminResponse {
        switch route {
        case .live: .json(.object(["status": "alive"]))
        case .ready: await ready()
        case .metrics: await metrics()
        case .system: await system()
        case .services: try await services()
        case .service(let name): try await service(name)
        case .stats(let name): try await liveStats(of: name)
        case .traffic(let name) where request.method == "PUT":
            try await putTraffic(of: name, request)
        case .traffic(let name) where request.method == "DELETE":
            try await deleteTraffic(of: name, request)
        case .traffic(let name): try await traffic(of: name)
        case .drain(let service, let address, let isDrained):
            try await drain(service, address, isDrained, request)
        }
    }

    static let tooLarge = Problem(
        status: 413, code: "BODY_TOO_LARGE", detail: "the body is larger than 1 MiB",
        headers: ["connection": "close"])

    private static func refuseParameters(of query: Substring) throws(Problem) {
        guard let pair = query.dropFirst().split(separator: "&").first else { return }
        let name = String(pair.prefix { $0 != "=" })
        throw Problem(
            status: 400, code: "UNKNOWN_PARAMETER",
            detail: "the query parameter '\(name)' is not known here; none is taken")
    }

    /// The caller's own if it is fit for a header and a log line, else a new one.
    private static func requestID(_ request: AdminRequest) -> String {
        if let given = request.requestID, (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        {
            return given
        }
        return UUID().uuidString.lowercased()
    }
}
