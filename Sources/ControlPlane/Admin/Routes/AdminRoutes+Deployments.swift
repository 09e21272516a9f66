// Rows about deployments: the resource itself, and the parameters that every change takes. What is
// done to it by verbs stands beside.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let dryRun = Parameter(
        "dryRun", .object(["type": "boolean"]), "All checks and the plan; nothing is changed.")
    static let onConflict = Parameter(
        "onConflict",
        .object(["type": "string", "enum": .texts(["refuse", "queue", "supersede"])]),
        "What to do while another change is at work: refuse, queue, or supersede it. Without it "
            + "stop, delete and rollback supersede, restart joins it, all others refuse.")
    private static let tags = JSONValue.object([
        "type": "string", "pattern": #"^(\*|"[!#-~]+")$"#,
    ])
    static let ifMatch = Parameter(
        "If-Match", tags, in: .header, required: true,
        "The ETag of what is changed; `*` for any.")
    static let ifMatchMaybe = Parameter(
        "If-Match", tags, in: .header, "The ETag of what is changed; without it, any.")
    static let prefer = Parameter(
        "Prefer", .object(["type": "string"]), in: .header,
        "`wait=30`: answer when the operation is done, or after so many seconds (at most 30).")
    static let idempotencyKey = Parameter(
        "Idempotency-Key",
        .object([
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$",
        ]), in: .header, "The same key with the same request gets the first answer again.")

    static let source = Parameter(
        "source",
        .object([
            "type": "string", "minLength": 1, "maxLength": 128,
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        ]), "Whose file it is; `apply` without it. A deployment follows one source.")
    static let takeOver = Parameter(
        "takeOver", .object(["type": "boolean"]),
        "Also if it has followed another source until now.")

    /// What every change takes.
    static let change = [onConflict, prefer]
    /// What every verb takes.
    static let verb = change + [ifMatchMaybe]

    static let begun: [Int: AdminEndpoint.Answer] = [
        200: .versioned("Changed", "Done; with dryRun, what would be done."),
        202: .init(
            explanation: "Begun: an operation, which `Location` leads to.", schema: "Operation",
            headers: ["Location": "Path of the operation."]),
    ]

    /// What can be done with a deployment once it is there.
    private static let madeByName = [
        "getDeployment", "updateDeployment", "getHealth", "listRevisions", "listReplicas",
        "exportDeployment", "lintDeployment", "planChange", "listDossiers", "scaleDeployment",
        "restartDeployment", "stopDeployment", "startDeployment", "deleteDeployment",
    ]

    static let deployments: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/deployments", "listDeployments", "deployments",
            .needs(.read, .deployment, .handler), "All deployments the token may read.",
            parameters: Listing.parameters + [
                Parameter(
                    "status", .object(["type": "string", "maxLength": 200]),
                    "Only with one of these words, by commas."),
                Parameter(
                    "environment", .object(["type": "string", "maxLength": 200]),
                    "Only of these environments, by commas."),
                Parameter(
                    "model", .object(["type": "string", "maxLength": 200]),
                    "Only of this model."),
                Parameter(
                    "active", .object(["type": "boolean"]),
                    "Only those that are deploying, deployed or stopping; or only the others."),
            ],
            answers: [200: .json("DeploymentList", "A page of them.")]
        ) { api, call in try await api.listDeployments(call) },
        AdminEndpoint(
            .post, "/v1/deployments", "createDeployment", "deployments",
            .needs(.create, .deployment, .handler), "Creates a deployment and starts it.",
            parameters: [prefer], body: .schema("DeploymentCreate"),
            answers: begun.mapValues { $0.leading(to: madeByName, ["name": "$request.body#/name"]) }
        ) { api, call, isDryRun in try await api.createDeployment(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .post, "/v1/deployments:plan", "planCreation", "deployments",
            .needs(.create, .deployment, .handler), "What creating it would do.",
            body: .schema("DeploymentCreate"), answers: [200: .json("Plan", "The plan.")],
            isQuestion: true
        ) { api, call in try await api.planCreation(call) },
        AdminEndpoint(
            .get, "/v1/deployments/{name}", "getDeployment", "deployments",
            .needs(.read, .deployment, .deployment), "One deployment.",
            answers: [200: .versioned("Deployment", "It.")]
        ) { api, call in try await api.getDeployment(call) },
        AdminEndpoint(
            .patch, "/v1/deployments/{name}", "updateDeployment", "deployments",
            .needs(.update, .deployment, .deployment),
            "Changes fields by a merge patch (RFC 7396); `x-penstock-edit` says what each means.",
            parameters: change + [ifMatch], body: .schema("DeploymentPatch"),
            answers: begun,
            isConditional: true
        ) { api, call, isDryRun in
            try await api.change(.patch(call.json()), call, isDryRun: isDryRun)
        },
        AdminEndpoint(
            .post, "/v1/deployments/{name}:apply", "applyDeployment", "deployments",
            .needs(.update, .deployment, .handler),
            "Makes it what a file says: creates it, or changes what the file has changed since it "
                + "was last applied.",
            parameters: verb + [source, takeOver], body: .schema("DeploymentApply"),
            answers: begun
        ) { api, call, isDryRun in try await api.applyDeployment(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .delete, "/v1/deployments/{name}", "deleteDeployment", "deployments",
            .needs(.delete, .deployment, .deployment),
            "Stops it, takes its route away, and keeps its history.",
            parameters: change + [ifMatch], answers: begun, isConditional: true
        ) { api, call, isDryRun in try await api.change(.delete, call, isDryRun: isDryRun) },
        AdminEndpoint(
            .get, "/v1/deployments/{name}/health", "getHealth", "deployments",
            .needs(.read, .deployment, .deployment), "Its status with conditions and counts.",
            answers: [200: .json("Health", "It.")]
        ) { api, call in
            let view = try await api.control().view(call.path("name"))
            return .json(api.deploymentJSON.health(view))
        },
        AdminEndpoint(
            .get, "/v1/deployments/{name}/revisions", "listRevisions", "deployments",
            .needs(.read, .revision, .deployment), "What it has run, newest first.",
            parameters: Listing.pageParameters, answers: [200: .json("RevisionList", "A page.")]
        ) { api, call in try await api.listRevisions(call) },
        AdminEndpoint(
            .get, "/v1/deployments/{name}/revisions/{number}", "getRevision", "deployments",
            .needs(.read, .revision, .deployment), "One revision.",
            answers: [200: .json("Revision", "It.")]
        ) { api, call in try await api.getRevision(call) },
        AdminEndpoint(
            .get, "/v1/deployments/{name}/revisions/{number}:diff", "diffRevisions", "deployments",
            .needs(.read, .revision, .deployment), "What is different in another revision.",
            parameters: [
                Parameter(
                    "with", .object(["type": "integer", "minimum": 1]),
                    "The other one; the one in force without it.")
            ], answers: [200: .json("RevisionDiff", "Field by field.")]
        ) { api, call in try await api.diffRevisions(call) },
        AdminEndpoint(
            .get, "/v1/deployments/{name}:export", "exportDeployment", "deployments",
            .needs(.read, .deployment, .deployment),
            "The fields as a document that creates the same again.",
            answers: [200: .json("DeploymentCreate", "The document.")]
        ) { api, call in
            .json(try await api.control().view(call.path("name")).spec.portable)
        },
        AdminEndpoint(
            .get, "/v1/deployments/{name}:lint", "lintDeployment", "deployments",
            .needs(.read, .deployment, .deployment), "What is probably not meant.",
            answers: [200: .json("Lint", "Warnings; none is best.")]
        ) { api, call in
            let warnings = SpecLint.warnings(try await api.control().view(call.path("name")).spec)
            return .json(.object(["warnings": .array(warnings.map(\.json))]))
        },
    ]
}
