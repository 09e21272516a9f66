// One row of the route table: a method and a path, who may use it, what it takes, what it answers,
// and who does it. Routing, authorization, the checks of a request and the OpenAPI document are all
// made from rows, so none of them can be forgotten.

import Notation
import State

struct AdminEndpoint: Sendable {
    enum Method: String, Sendable, CaseIterable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let method: Method
    let path: PathPattern
    /// `createDeployment`: names the operation for generated clients.
    let name: String
    let summary: String
    let tag: String
    let access: Access
    var parameters: [Parameter] = []
    var body = Body.none
    /// By status; what is not told here is a problem.
    var answers: [Int: Answer]
    /// Needs `If-Match`.
    var isConditional = false
    let handle: Handler

    /// Answers a question.
    typealias Handler = @Sendable (AdminAPI, AdminCall) async throws -> AdminResponse
    /// Makes a change, or all its checks only.
    typealias ChangeHandler =
        @Sendable (AdminAPI, AdminCall, _ isDryRun: Bool) async throws -> AdminResponse

    /// Who may.
    enum Access: Sendable, Equatable {
        /// Anybody who reaches the port.
        case open
        /// Anybody on loopback; elsewhere any token.
        case openOnLoopback
        case anyToken
        case needs(Verb, ResourceKind, Scope)
    }

    /// Which environment the right must be for.
    enum Scope: Sendable, Equatable {
        /// What belongs to none.
        case none
        /// That of the deployment named in the path.
        case deployment
        /// That of the service named in the path: its deployment's, if it has one.
        case service
        /// That of the operation named in the path.
        case operation
        /// Only the body, or each element of the answer, tells; the handler asks.
        case handler
    }

    enum Body: Sendable {
        case none
        /// Anything the handler reads itself, described by a schema of this name.
        case schema(String)
        case form(BodyForm)

        var isWanted: Bool { if case .none = self { false } else { true } }
    }

    struct Answer: Sendable {
        var explanation: String
        /// Of a schema in the document; nil has no body.
        var schema: String?
        var mediaType = "application/json"
        /// Other forms of the same, by `Accept` or a parameter; text all of them.
        var alternatives: [String] = []
        var headers: [String: String] = [:]
        /// What can be asked next: the operation, and where its parameters are found.
        var links: [String: [String: String]] = [:]
    }

    /// A row that reads.
    ///
    /// - Parameter isQuestion: changes nothing although its method is not GET.
    init(
        _ method: Method, _ path: String, _ name: String, _ tag: String, _ access: Access,
        _ summary: String, parameters: [Parameter] = [], body: Body = .none,
        answers: [Int: Answer], isQuestion: Bool = false, handle: @escaping Handler
    ) {
        precondition(method == .get || isQuestion, "what changes something takes a dry run")
        self.init(
            method, path, name, tag, access, summary, parameters, body, answers,
            isConditional: false, handle)
    }

    /// A row that changes something: every one takes `dryRun`, and its handler is told; and every
    /// one takes a key, so that it may be sent again.
    init(
        _ method: Method, _ path: String, _ name: String, _ tag: String, _ access: Access,
        _ summary: String, parameters: [Parameter] = [], body: Body = .none,
        answers: [Int: Answer], isConditional: Bool = false, change: @escaping ChangeHandler
    ) {
        let dry = Answer.json("DryRun", "With dryRun: it would be done.")
        self.init(
            method, path, name, tag, access, summary,
            [AdminRoutes.dryRun, AdminRoutes.idempotencyKey] + parameters, body,
            answers.merging([200: dry]) { own, _ in own }, isConditional: isConditional
        ) { api, call in try await change(api, call, call.isDryRun) }
    }

    private init(
        _ method: Method, _ path: String, _ name: String, _ tag: String, _ access: Access,
        _ summary: String, _ parameters: [Parameter], _ body: Body, _ answers: [Int: Answer],
        isConditional: Bool, _ handle: @escaping Handler
    ) {
        self.method = method
        self.path = PathPattern(path)
        self.name = name
        self.tag = tag
        self.access = access
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.isConditional = isConditional
        self.handle = handle
    }
}

extension AdminEndpoint.Answer {
    static func json(_ schema: String, _ explanation: String) -> Self {
        Self(explanation: explanation, schema: schema)
    }

    /// With the version that `If-Match` wants.
    static func versioned(_ schema: String, _ explanation: String) -> Self {
        Self(
            explanation: explanation, schema: schema,
            headers: ["ETag": "Version of the resource, for `If-Match`."])
    }

    func leading(to operations: [String], _ parameters: [String: String]) -> Self {
        var answer = self
        for operation in operations { answer.links[operation] = parameters }
        return answer
    }
}
