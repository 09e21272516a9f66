// Rows about models and their versions: registered once, verified when asked, deployed by name.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let versionWord = BodyKey<String>(
        "version", .name, required: true, "The version's name.", example: "v2")
    static let artifactPath = BodyKey<String>(
        "artifact", .filePath, "Absolute path of its file or directory on this machine.",
        example: "/srv/models/iris-v2.json")
    static let expectedDigest = BodyKey<String>(
        "sha256", .sha256, "What the digest must be; it is taken as it is without it.")
    static let description = BodyKey<String>(
        "description", .text(0...4096, lines: true), "What is new.")
    static let defaults = BodyKey<JSONValue>(
        "defaults", .anyObject,
        "Fields of a deployment that this version suggests: command, args, env, resources, …",
        example: .object(["instance_type": "cpu.standard"]))
    static let registration = BodyForm(
        versionWord.field, artifactPath.field, expectedDigest.field, description.field,
        defaults.field)

    static let environmentWord = BodyKey<DeploymentSpec.Environment>(
        "environment", .word(DeploymentSpec.Environment.self), required: true,
        "Where to.", example: "staging")
    static let deploymentName = BodyKey<String>(
        "name", .slug, "The deployment's name; `{model}-{environment}` without it.",
        example: "iris-staging")
    static let settings = BodyKey<JSONValue>(
        "deployment", .anyObject, "Fields of the deployment, over the version's defaults.",
        example: .object(["replicas": 2]))
    static let deployment = BodyForm(
        environmentWord.field, deploymentName.field, settings.field, DeploymentVerb.reason.field)

    static let models: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/models", "listModels", "models", .needs(.read, .model, .none),
            "All models with their versions.", parameters: Listing.parameters,
            answers: [200: .json("ModelList", "A page of them.")]
        ) { api, call in try await api.listModels(call) },
        AdminEndpoint(
            .get, "/v1/models/{model}", "getModel", "models", .needs(.read, .model, .none),
            "One model with its versions.", answers: [200: .json("Model", "It.")]
        ) { api, call in try await api.getModel(call) },
        AdminEndpoint(
            .get, "/v1/models/{model}/versions", "listVersions", "models",
            .needs(.read, .modelVersion, .none), "A model's versions, newest first.",
            parameters: Listing.pageParameters, answers: [200: .json("VersionList", "A page.")]
        ) { api, call in try await api.listVersions(call) },
        AdminEndpoint(
            .post, "/v1/models/{model}/versions", "registerVersion", "models",
            .needs(.create, .modelVersion, .none),
            "Registers a version: its digest is taken now and verified before each start.",
            body: .form(registration),
            answers: [
                200: .json("Version", "It was registered before, with the same content."),
                201: .json("Version", "Registered.").leading(
                    to: ["getVersion", "removeVersion", "verifyVersion", "deployVersion"],
                    ["model": "$request.path.model", "version": "$request.body#/version"]),
            ]
        ) { api, call, isDryRun in try await api.registerVersion(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .get, "/v1/models/{model}/versions/{version}", "getVersion", "models",
            .needs(.read, .modelVersion, .none), "One version.",
            answers: [200: .json("Version", "It.")]
        ) { api, call in
            let models = try api.needed().models
            let version = try await models.version(call.path("version"), of: call.path("model"))
            return .json(version.json)
        },
        AdminEndpoint(
            .delete, "/v1/models/{model}/versions/{version}", "removeVersion", "models",
            .needs(.delete, .modelVersion, .none),
            "Forgets a version that nothing uses; its files stay.",
            answers: [204: .init(explanation: "Forgotten.", schema: nil)]
        ) { api, call, isDryRun in try await api.removeVersion(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .post, "/v1/models/{model}/versions/{version}:verify", "verifyVersion", "models",
            .needs(.verify, .modelVersion, .none),
            "Reads the files again and compares their digest.",
            answers: [200: .json("Verdict", "They are what was registered.")], isQuestion: true
        ) { api, call in try await api.verifyVersion(call) },
        AdminEndpoint(
            .post, "/v1/models/{model}/versions/{version}:deploy", "deployVersion", "models",
            .needs(.deploy, .deployment, .handler),
            "Deploys it to an environment: creates its deployment, or updates the one there is.",
            parameters: [prefer], body: .form(deployment), answers: begun
        ) { api, call, isDryRun in try await api.deployVersion(call, isDryRun: isDryRun) },
    ]
}
