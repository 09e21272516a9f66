// Rows about the gateway as a whole, the places it runs replicas in, and its own document.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let backupFile = BodyKey<String>(
        "file", .fileName,
        "Name of the file in the state directory's `backups`; made up without it.",
        example: "before-upgrade.db")
    static let backup = BodyForm(backupFile.field)

    static let system: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/system", "getSystem", "system", .needs(.read, .system, .none),
            "Version, start, plan in force, state of the store.",
            answers: [200: .json("System", "It.")]
        ) { api, _ in try await api.system() },
        AdminEndpoint(
            .post, "/v1/system:backup", "backUp", "system", .needs(.backup, .system, .none),
            "Writes a backup of the state while serving.", body: .form(backup),
            answers: [201: .json("Backup", "Written.")]
        ) { api, call, isDryRun in try await api.backUp(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .get, "/v1/nodes", "listNodes", "system", .needs(.read, .node, .none),
            "Where replicas run: cores, memory, GPUs, what is taken, how limits are held.",
            parameters: Listing.parameters, answers: [200: .json("NodeList", "All of them.")]
        ) { api, call in
            let listing = try Listing(call.query, api.pager, question: "nodes", of: "Node")
            return .json(
                listing.page(
                    try await api.control().nodes(), as: "nodes", id: { $0.name },
                    render: { $0.json }))
        },
        AdminEndpoint(
            .get, "/v1/instanceTypes", "listInstanceTypes", "system", .anyToken,
            "Sizes of replicas by name.", answers: [200: .json("InstanceTypeList", "All of them.")]
        ) { _, _ in .json(InstanceCatalogue.standard.json) },
        AdminEndpoint(
            .get, "/openapi.json", "getOpenAPI", "system", .anyToken, "This document.",
            answers: [200: .json("Object", "OpenAPI 3.1.")]
        ) { api, _ in .json(OpenAPIDocument(version: api.version).json) },
    ]
}
