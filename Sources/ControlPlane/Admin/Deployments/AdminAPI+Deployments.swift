// Deployments: listed, read, created and changed. What is asked is turned into one change, handed
// to the controller, and its receipt into one answer.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    var deploymentJSON: DeploymentJSON { DeploymentJSON(gatewayURL: memory?.gatewayURL()) }

    func listDeployments(_ call: AdminCall) async throws -> AdminResponse {
        let listing = try Listing(call.query, pager, question: "deployments", of: "Deployment")
        let authorization = call.authorization
        let wanted = try DeploymentQuery(call.query)
        let all = try await control().list()
        rendered.forgetAll(but: all)
        let views = all.filter { view in
            wanted.matches(view)
                && authorization.allows(
                    .read, .deployment, in: view.spec.environment.rawValue)
        }
        let json = deploymentJSON
        guard listing.tellsWhole else {
            return .json(
                listing.page(views, as: "deployments", id: { $0.spec.name }, render: json.whole))
        }
        return .json(
            text: listing.pageText(
                views, as: "deployments", id: { $0.spec.name }, render: json.whole
            ) { rendered.text(of: $0, json) })
    }

    func getDeployment(_ call: AdminCall) async throws -> AdminResponse {
        let view = try await control().view(call.path("name"))
        let tag = EntityTag.text(view.resourceVersion)
        if EntityTag.matches(call.request.headers["if-none-match"], version: view.resourceVersion) {
            return AdminResponse(status: 304, headers: ["etag": tag])
        }
        return .json(deploymentJSON.whole(view), headers: ["etag": tag])
    }

    func createDeployment(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let spec = try SpecReader().read(call.json())
        try call.require(.create, .deployment, in: spec.environment.rawValue)
        return try await change(.create(spec), of: spec.name, call, isDryRun: isDryRun)
    }

    func planCreation(_ call: AdminCall) async throws -> AdminResponse {
        let spec = try SpecReader().read(call.json())
        try call.require(.create, .deployment, in: spec.environment.rawValue)
        let plan = try await control().plan(
            .create(spec), of: spec.name, asked: try await asked(.create(spec), spec.name, call))
        return .json(plan.json)
    }

    /// Of the deployment named in the path.
    func change(
        _ change: DeploymentChange, _ call: AdminCall, isDryRun: Bool, reason: String? = nil
    ) async throws -> AdminResponse {
        try await self.change(
            change, of: call.path("name"), call, isDryRun: isDryRun, reason: reason)
    }

    // This and the next are not inlined: the optimiser of Swift 6.3 crashes on the coroutine that
    // `applyDeployment` would become with them.
    @inline(never)
    func change(
        _ change: DeploymentChange, of name: String, _ call: AdminCall, isDryRun: Bool,
        reason: String? = nil
    ) async throws -> AdminResponse {
        var asked = try await asked(change, name, call, isDryRun: isDryRun, reason: reason)
        prepare(&asked, for: call)
        let receipt = try await control().perform(change, of: name, asked: asked)
        return try await answer(to: call, receipt, isDryRun: asked.isDryRun)
    }

    /// With the rights that the token has where the deployment is or will be.
    @inline(never)
    private func asked(
        _ change: DeploymentChange, _ name: String, _ call: AdminCall, isDryRun: Bool = true,
        reason: String? = nil
    ) async throws -> ChangeRequest {
        let there = try await existing(name)?.spec.environment
        let place =
            switch change {
            case .create(let spec), .apply(let spec): there ?? spec.environment
            default: there
            }
        return try call.change(isDryRun: isDryRun, in: place?.rawValue, reason: reason)
    }

    /// A request that may be repeated has its answer stored with its work.
    func prepare(_ asked: inout ChangeRequest, for call: AdminCall) {
        let json = deploymentJSON
        keep(&asked, for: call) { Self.answer($0, json, isDryRun: false) }
    }

    /// - Parameter render: makes the answer of what the work has come to.
    func keep(
        _ asked: inout ChangeRequest, for call: AdminCall,
        _ render: @escaping @Sendable (ChangeReceipt) -> AdminResponse
    ) {
        guard let repetition = call.repetition else { return }
        asked.repetition = RepetitionKey(key: repetition.key.key, token: repetition.key.token)
        asked.answer = { receipt in
            repetition.isStored.raise()
            let answer = render(receipt)
            return RepeatedAnswer(
                status: answer.status, headers: answer.headers, body: answer.body)
        }
    }

    func answer(
        to call: AdminCall, _ given: ChangeReceipt, isDryRun: Bool
    ) async throws -> AdminResponse {
        var receipt = given
        if let operation = receipt.operation, call.patience > .zero, !isDryRun {
            receipt.operation = try await control().operation(operation.id, within: call.patience)
        }
        return Self.answer(receipt, deploymentJSON, isDryRun: isDryRun)
    }

    /// An operation while it is at work, or the deployment as it is now.
    private static func answer(
        _ receipt: ChangeReceipt, _ json: DeploymentJSON, isDryRun: Bool
    ) -> AdminResponse {
        let about = JSONValue.object([
            "edit_summary": receipt.plan.summary.json, "warnings": receipt.plan.warningsJSON,
        ])
        if isDryRun {
            return .json(
                json.whole(receipt.view).merging(about).merging(
                    .object(["dry_run": true, "plan": receipt.plan.json])))
        }
        let version = receipt.view.resourceVersion
        var headers: [String: String] = version.isEmpty ? [:] : ["etag": EntityTag.text(version)]
        guard let operation = receipt.operation else {
            return .json(json.whole(receipt.view).merging(about), headers: headers)
        }
        headers["location"] = "/v1/operations/\(operation.id)"
        return .json(
            operation.json.merging(about), status: operation.phase.isDone ? 200 : 202,
            headers: headers)
    }

    /// A number set by hand ends at a moment.
    func timed(_ change: DeploymentChange, for duration: Duration?) -> DeploymentChange {
        guard case .scale(let replicas, _) = change, let duration else { return change }
        let (seconds, _) = duration.components
        return .scale(replicas: replicas, until: date().addingTimeInterval(Double(seconds)))
    }

    /// A merge patch, or `{"action": …, "arguments": …}` of any verb.
    func planChange(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.path("name")
        let body = try call.json()
        let (change, reason) = try planned(body)
        if case .patch(let patch) = change, patch.members?.isEmpty == true {
            throw Problem(
                status: 422, code: "INVALID_BODY", detail: "nothing is asked for",
                hint: "send a merge patch, or {\"action\": \"scale\", \"arguments\": {…}}")
        }
        var asked = try await asked(change, name, call, reason: reason)
        // What it would do is asked, not for leave to do it.
        asked.mayUpdate = true
        let plan = try await control().plan(change, of: name, asked: asked)
        return .json(plan.json)
    }

    private func planned(_ body: JSONValue) throws -> (DeploymentChange, String?) {
        guard let action = body["action"] else { return (.patch(body), nil) }
        let verbs = DeploymentVerb.all
        let names = verbs.map { Spelling.snakeCase($0.word) } + ["update", "delete"]
        guard let word = action.text.map(Spelling.snakeCase), names.contains(word) else {
            throw Problem(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer(["action"]), code: .invalid,
                        message: "\(action.compact) is not allowed; allowed: "
                            + names.joined(separator: ", "))
                ]), code: "INVALID_BODY")
        }
        let arguments = body["arguments"] ?? .object([JSONValue.Member]())
        if let other = body.members?.first(where: { !["action", "arguments"].contains($0.name) }) {
            throw Problem(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer([other.name]), code: .unknownField,
                        message: "unknown member beside 'action' and 'arguments'")
                ]), code: "INVALID_BODY")
        }
        switch word {
        case "update": return (.patch(arguments), nil)
        case "delete": return (.delete, nil)
        default: break
        }
        guard let verb = verbs.first(where: { Spelling.snakeCase($0.word) == word }) else {
            preconditionFailure("the word is one of the verbs")
        }
        let values = try verb.form.read(arguments)
        return (
            timed(try verb.change(values), for: values[DeploymentVerb.lasting]),
            values[DeploymentVerb.reason]
        )
    }
}

/// What a list of deployments is asked for most, without looking at their JSON.
private struct DeploymentQuery {
    let statuses: Set<String>
    let environments: Set<String>
    let model: String?
    let isActive: Bool?

    init(_ query: QueryValues) throws(Problem) {
        statuses = try Self.words("status", of: StatusWord.allCases.map(\.rawValue), query)
        environments = try Self.words(
            "environment", of: DeploymentSpec.Environment.allCases.map(\.rawValue), query)
        model = query.text("model")
        isActive = query.isGiven("active") ? query.flag("active") : nil
    }

    private static func words(
        _ name: String, of allowed: [String], _ query: QueryValues
    ) throws(Problem) -> Set<String> {
        let words = Set((query.text(name) ?? "").split(separator: ",").map(String.init))
        guard let odd = words.sorted().first(where: { !allowed.contains($0) }) else { return words }
        throw Problem(
            status: 400, code: "INVALID_PARAMETER",
            detail: "'\(name)' has \(Spelling.quoted(odd)); allowed: "
                + allowed.joined(separator: ", "))
    }

    func matches(_ view: DeploymentView) -> Bool {
        (statuses.isEmpty || statuses.contains(view.status.word.rawValue))
            && (environments.isEmpty || environments.contains(view.spec.environment.rawValue))
            && (model == nil || model == view.spec.model)
            && (isActive == nil || isActive == (view.status.activity != .inactive))
    }
}

extension DeploymentSpec {
    /// As a document that can be sent again: a size is told by its name or by its numbers.
    var portable: JSONValue {
        instanceType == nil ? document : document.setting("resources", to: nil)
    }
}
