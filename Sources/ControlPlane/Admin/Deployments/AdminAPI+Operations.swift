// Operations: listed, read, waited for, cancelled.

import Deployments
import Notation
import State

extension AdminAPI {
    func listOperations(_ call: AdminCall) async throws -> AdminResponse {
        if let newestFirst = Self.orderByAge(call.query),
            call.authorization.isUnlimited(.read, .deployment)
        {
            return try await operationsByAge(call, newestFirst)
        }
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

    /// The store knows this order: nothing but the page is read.
    private func operationsByAge(
        _ call: AdminCall, _ newestFirst: Bool
    ) async throws -> AdminResponse {
        let listing = try Listing(
            call.query, pager, question: "operations", of: "Operation", isCut: true)
        let page = try await control().operations(
            OperationQuestion(
                deployment: call.query.text("deployment"), newestFirst: newestFirst,
                pageSize: listing.pageSize, pageToken: call.query.text("pageToken")))
        return .json(
            listing.page(
                page.operations, as: "operations", next: page.nextPageToken, total: page.total,
                render: { $0.json }))
    }

    /// Nil for what is ordered otherwise, or filtered. Ids begin with their time, so that the
    /// usual order is that of age, too.
    private static func orderByAge(_ query: QueryValues) -> Bool? {
        guard query.text("filter") == nil else { return nil }
        return switch Spelling.snakeCase(query.text("orderBy") ?? "name") {
        case "name", "name asc", "created_at", "created_at asc", "id", "id asc": false
        case "name desc", "created_at desc", "id desc": true
        default: nil
        }
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
