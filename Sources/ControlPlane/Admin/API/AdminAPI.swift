// The front of the admin port: admits, authenticates, routes, authorizes, checks, and turns every
// error into a problem. What it knows of the single endpoints stands in the route table; handlers
// stand beside it by topic. None of them knows about sockets.

package import Deployments
package import Foundation
import Notation
import State
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
    let date: @Sendable () -> Date
    let startedAt: Date
    /// What only a running controller has; nil until there is one.
    let memory: AdminMemory?
    let pager = Pager()
    let rendered = RenderedDeployments()
    let streams = StreamCount()
    /// Raised when the port closes: streams end by themselves, nobody else would end them.
    let isClosing = Flag()

    /// `now` is a monotonic clock, `date` the wall's.
    package init(
        access: AdminAccess, director: TrafficDirector, stats: StatsRecorder, version: String,
        readiness: @escaping @Sendable () async -> [String],
        now: @escaping @Sendable () -> Instant,
        date: @escaping @Sendable () -> Date = { Date() }, memory: AdminMemory? = nil
    ) {
        self.access = access
        self.director = director
        self.stats = stats
        self.version = version
        self.readiness = readiness
        self.now = now
        self.date = date
        self.memory = memory
        startedAt = date()
    }

    /// Everything at once, for those who have the body already.
    package func respond(to request: AdminRequest) async -> AdminResponse {
        switch await admit(request) {
        case .refused(let answer): return answer
        case .admitted(let visit): return await respond(to: visit, body: request.body)
        }
    }

    /// The answer to a request that is refused by its head alone, so that nobody unknown has a
    /// body read; else a visit that waits for its body.
    package func admit(_ request: AdminRequest) async -> AdminAdmission {
        let requestID = AdminAPI.requestID(request)
        do {
            return .admitted(AdminVisit(call: try await admitted(request, requestID)))
        } catch {
            return .refused(refusal(error, requestID))
        }
    }

    package func respond(to visit: AdminVisit, body: [UInt8]) async -> AdminResponse {
        var call = visit.call
        call.request.body = body
        do {
            try checkBody(of: call)
            // Nothing is half done when the other process begins: changes do not even start.
            if call.endpoint.method != .get, let memory, memory.store.isSuspended {
                throw StateError.handingOver
            }
            return Self.finished(try await repeatable(call), call.requestID)
        } catch {
            return refusal(error, call.requestID, isAdmin: call.authorization.isAdmin())
        }
    }

    /// Whether the path leads somewhere is told only to those who may know.
    private func admitted(
        _ request: AdminRequest, _ requestID: String
    ) async throws -> AdminCall {
        try access.admit(request)
        let pathText = String(request.target.prefix { $0 != "?" })
        let found = Result { () throws(Problem) in
            try AdminRoutes.find(RequestPath(pathText))
        }
        // A failure here is told below, after the token.
        let candidates = (try? found.get()) ?? []
        let token = try await access.authenticate(
            request, for: candidates.map(\.endpoint.access), now: date())
        let matches = try found.get()
        let method = request.method == "HEAD" ? "GET" : request.method
        guard let match = matches.first(where: { $0.endpoint.method.rawValue == method }) else {
            throw Self.notAllowed(pathText, matches.map(\.endpoint.method))
        }
        let query = request.target.dropFirst(pathText.count)
        let call = AdminCall(
            request: request, endpoint: match.endpoint, parameters: match.parameters,
            query: try QueryValues(query, taking: match.endpoint.parameters), token: token,
            requestID: requestID)
        try await authorize(call)
        return call
    }

    private func authorize(_ call: AdminCall) async throws {
        guard case .needs(let verb, let resource, let scope) = call.endpoint.access else { return }
        switch scope {
        case .none: try call.require(verb, resource, in: nil)
        case .handler: return
        case .deployment:
            try await require(verb, resource, deployment: call.path("name"), call)
        case .service:
            let environment = await environment(ofService: call.path("name"))
            try call.require(verb, resource, in: environment)
        case .operation:
            // What it was done to may be gone, as after every delete; the work can still be read.
            let operation = try await control().operation(call.path("id"))
            let environment = try await environment(ofDeployment: operation.deployment)
            try call.require(verb, resource, in: environment)
        }
    }

    /// - Throws: 404 only for those who may do it somewhere.
    private func require(
        _ verb: Verb, _ resource: ResourceKind, deployment name: String, _ call: AdminCall
    ) async throws {
        let environment: String
        do {
            environment = try await control().view(name).spec.environment.rawValue
        } catch let error as ControlError {
            throw refusal(of: error, verb, resource, call)
        }
        try call.require(verb, resource, in: environment)
    }

    /// What is told of a deployment that cannot be looked at.
    private func refusal(
        of error: ControlError, _ verb: Verb, _ resource: ResourceKind, _ call: AdminCall
    ) -> any Error {
        let mayAnywhere = DeploymentSpec.Environment.allCases.contains { environment in
            call.authorization.allows(verb, resource, in: environment.rawValue)
        }
        guard mayAnywhere else {
            do {
                try call.require(verb, resource, in: nil)
            } catch {
                return error
            }
            return error
        }
        return Problem.of(error, isAdmin: call.authorization.isAdmin())
    }

    /// A service of the file belongs to no environment.
    func environment(ofService name: String) async -> String? {
        // Without a deployment of this name there is none to ask.
        let view = try? await memory?.control?.view(name)
        return view?.spec.environment.rawValue
    }

    private func checkBody(of call: AdminCall) throws(Problem) {
        let body = call.request.body
        guard body.count <= AdminAPI.bodyBytesMax else { throw AdminAPI.tooLarge }
        guard call.endpoint.body.isWanted else {
            guard body.isEmpty || body == Array("{}".utf8) else {
                throw Problem(
                    status: 400, code: "UNEXPECTED_BODY", detail: "this request takes no body")
            }
            return
        }
        guard body.isEmpty || MediaType.isJSON(call.request.headers["content-type"]) else {
            throw Problem(
                status: 415, code: "UNSUPPORTED_MEDIA_TYPE",
                detail: "the body must be JSON: application/json")
        }
    }

    private static func notAllowed(
        _ path: String, _ methods: [AdminEndpoint.Method]
    ) -> Problem {
        var names: [String] = []
        for method in AdminEndpoint.Method.allCases where methods.contains(method) {
            names.append(method.rawValue)
            if method == .get { names.append("HEAD") }
        }
        let allowed = names.joined(separator: ", ")
        return Problem(
            status: 405, code: "METHOD_NOT_ALLOWED", detail: "'\(path)' takes \(allowed)",
            headers: ["allow": allowed])
    }

    private func refusal(
        _ error: any Error, _ requestID: String, isAdmin: Bool = false
    ) -> AdminResponse {
        let problem = Problem.of(error, isAdmin: isAdmin)
        return Self.finished(problem.response(requestID: requestID), requestID)
    }

    /// What every answer says of itself.
    static func finished(_ answer: AdminResponse, _ requestID: String) -> AdminResponse {
        var response = answer
        response.headers["x-request-id"] = requestID
        response.headers["x-content-type-options"] = "nosniff"
        return response
    }

    static let tooLarge = Problem(
        status: 413, code: "BODY_TOO_LARGE", detail: "the body is larger than 1 MiB",
        headers: ["connection": "close"])

    /// The caller's own if it is fit for a header and a log line, else a new one.
    private static func requestID(_ request: AdminRequest) -> String {
        if let given = request.headers["x-request-id"], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        {
            return given
        }
        return newRequestID
    }

    static var newRequestID: String { UUID().uuidString.lowercased() }

    /// - Throws: 503 until there is a controller.
    func control() throws(Problem) -> any DeploymentControl {
        guard let control = try needed().control else { throw Self.notLoaded }
        return control
    }

    func needed() throws(Problem) -> AdminMemory {
        guard let memory else { throw Self.notLoaded }
        return memory
    }

    private static let notLoaded = Problem(
        status: 503, code: "NOT_LOADED", detail: "deployments are not there yet",
        headers: ["retry-after": "1"])
}

/// A request that may go on, or the answer that ends it.
package enum AdminAdmission: Sendable {
    case admitted(AdminVisit)
    case refused(AdminResponse)
}

/// A request let in by its head.
package struct AdminVisit: Sendable {
    let call: AdminCall
}

enum MediaType {
    /// Nothing said is JSON, and so is what curl says for `-d` unless told otherwise.
    static func isJSON(_ field: String?) -> Bool {
        guard let field else { return true }
        let type = field.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        return type == "application/json" || type == "application/x-www-form-urlencoded"
            || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }
}
