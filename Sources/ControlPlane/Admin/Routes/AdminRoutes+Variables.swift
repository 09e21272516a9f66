// Rows about secrets and configs: what deployments name in `secrets` and `configs`. A secret goes
// in and never comes out: answers tell versions and fingerprints.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let variableEnvironment = BodyKey<DeploymentSpec.Environment>(
        "environment", .word(DeploymentSpec.Environment.self), required: true,
        "Only its deployments may name it; it never changes.", example: "staging")
    static let secretValue = BodyKey<String>(
        "value", .secretValue, required: true, "The secret; at most 64 KiB.", example: "hunter2")
    static let configValues = BodyKey<[String: String]>(
        "values", .variableMap, required: true, "Variables by name; they replace all there were.",
        example: .object(["LOG_LEVEL": "info"]))
    static let variableDescription = BodyKey<String>(
        "description", .text(0...4096, lines: true), "What it is for; as it was without it.")
    static let secretForm = BodyForm(
        variableEnvironment.field, secretValue.field, variableDescription.field)
    static let configForm = BodyForm(
        variableEnvironment.field, configValues.field, variableDescription.field)

    static let variables: [AdminEndpoint] =
        rows(
            .secret, "secrets", "Secret", .secret, secretForm,
            set: "Sets a secret: the next version, unless the newest is the same. "
                + "Revisions made from now on take it up.")
        + rows(
            .config, "configs", "Config", .config, configForm,
            set: "Sets a config: the next version, unless the newest is the same. "
                + "Revisions made from now on take it up.")

    private static func rows(
        _ kind: VariableKind, _ plural: String, _ schema: String, _ resource: ResourceKind,
        _ form: BodyForm, set explanation: String
    ) -> [AdminEndpoint] {
        let path = "/v1/\(plural)"
        return [
            AdminEndpoint(
                .get, path, "list\(schema)s", plural, .needs(.read, resource, .handler),
                "Those that the token may see.", parameters: Listing.parameters,
                answers: [200: .json("\(schema)List", "A page of them.")]
            ) { api, call in try await api.listVariables(kind, plural, resource, call) },
            AdminEndpoint(
                .get, path + "/{name}", "get\(schema)", plural, .needs(.read, resource, .handler),
                "One, with its versions.", answers: [200: .json(schema, "It.")]
            ) { api, call in try await api.getVariables(kind, resource, call) },
            AdminEndpoint(
                .put, path + "/{name}", "set\(schema)", plural,
                .needs(.update, resource, .handler), explanation,
                body: .form(form),
                answers: [
                    200: .json(schema, "As it is; nothing new where the content was the same."),
                    201: .json(schema, "Made.").leading(
                        to: ["get\(schema)", "remove\(schema)"], ["name": "$request.path.name"]),
                ]
            ) { api, call, isDryRun in
                try await api.setVariables(kind, resource, call, isDryRun: isDryRun)
            },
            AdminEndpoint(
                .delete, path + "/{name}", "remove\(schema)", plural,
                .needs(.delete, resource, .handler),
                "Removes it with all its versions, if no deployment names it.",
                answers: [204: .init(explanation: "Gone.", schema: nil)]
            ) { api, call, isDryRun in
                try await api.removeVariables(kind, resource, call, isDryRun: isDryRun)
            },
        ]
    }
}
