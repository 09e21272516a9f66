// Operations: listed, read, waited for, cancelled.

import Deployments
import Notation
import State

extension AdminAPI {
    func listOperations(_ call: AdminCall) async throws -> AdminResponse {
        let listing = try Listing(call.query, pager, question: "operations", of: "Operation")
        var readable = readable(call)
        var operations: [DeploymentOperation] = []
        for operation in try await control().operations(of: call.query.text("deployment"))
        where try await readable.mayRead(operation.deployment) {
            operations.append(operation)
        }
        return .json(
            listing.page(operations, as: "operations", id: { $0.id }, render: { $0.json }))
    }

    func getOperation(_ call: AdminCall) async throws -> AdminResponse {
        .json(try await control().operation(call.path("id")).json)
    }

    /// Answers when it is done, or as it is after half a minute.
    func awaitOperation(_ call: AdminCall) async throws -> AdminResponse {
        let seconds = call.query.whole("timeout") ?? 30
        return .json(
            try await control().operation(call.path("id"), within: .seconds(seconds)).json)
    }

    func cancelOperation(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let values = try call.values(AdminRoutes.reasonOnly)
        var asked = try call.change(isDryRun: isDryRun, reason: values[DeploymentVerb.reason])
        keep(&asked, for: call) { receipt in
            .json(receipt.operation?.json ?? .object([JSONValue.Member]()))
        }
        let operation = try await control().cancel(call.path("id"), asked: asked)
        return .json(operation.json.marked(isDryRun))
    }
}
