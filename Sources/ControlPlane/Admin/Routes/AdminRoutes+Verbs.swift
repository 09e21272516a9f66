// Rows of what is done to a deployment by verbs. Each has a form for its body and makes one change;
// the same forms read the arguments of a plan.

import Deployments
import Notation
import State

/// A verb of deployments: the right it needs, its body, and the change it makes.
struct DeploymentVerb: Sendable {
    let word: String
    let name: String
    let right: Verb
    let summary: String
    let form: BodyForm
    let change: @Sendable (BodyValues) throws(Problem) -> DeploymentChange

    static let reason = BodyKey<String>(
        "reason", .text(1...1000), "Why; kept in the history.", example: "release of Tuesday")
    static let replicas = BodyKey<Int>("replicas", .whole(0...256), "So many.", example: 4)
    static let automatic = BodyKey<Bool>(
        "automatic", .boolean, "Gives the number back to the scaling settings.")
    static let lasting = BodyKey<Duration>(
        "for", .seconds(.seconds(1)...(.seconds(31 * 24 * 3600))),
        "For so long; for good without it.", example: "2h")
    static let message = BodyKey<String>(
        "message", .text(1...1000), "What clients are told.", example: "back at noon")
    static let version = BodyKey<String>(
        "version", .name, required: true, "The version to change to.", example: "v2")
    static let artifact = BodyKey<String>(
        "artifact", .filePath, "Its files, if the version is not registered yet.",
        example: "/srv/models/iris-v2.json")
    static let strategy = BodyKey<StrategySpec>(
        "strategy", .strategy, "Becomes the deployment's own, from this change on.")
    static let revision = BodyKey<Int>(
        "revision", .whole(1...1_000_000), "Whose content; the present one without it.", example: 3)
    static let to = BodyKey<Int>(
        "to", .whole(1...1_000_000), "The revision to go back to; the last good one without it.",
        example: 2)
    static let patch = BodyKey<JSONValue>(
        "patch", .anyObject, "Other settings at the same time, as a merge patch.",
        example: .object(["resources": .object(["memory": "1GiB"])]))

    static let all: [DeploymentVerb] = [
        DeploymentVerb(
            word: "scale", name: "scaleDeployment", right: .scale,
            summary: "Sets the number of replicas by hand, for a time or for good.",
            form: BodyForm(replicas.field, automatic.field, lasting.field, reason.field)
        ) { values throws(Problem) in try scale(values) },
        DeploymentVerb(
            word: "stop", name: "stopDeployment", right: .stop,
            summary: "Ends all replicas; the endpoint answers 503 with Retry-After.",
            form: BodyForm(message.field, reason.field)
        ) { values in .stop(message: values[message]) },
        DeploymentVerb(
            word: "start", name: "startDeployment", right: .start,
            summary: "Starts what was stopped or has failed, as it was.",
            form: BodyForm(reason.field)
        ) { _ in .start },
        DeploymentVerb(
            word: "restart", name: "restartDeployment", right: .restart,
            summary: "Replaces all replicas without an outage; no revision is made.",
            form: BodyForm(reason.field)
        ) { _ in .restart },
        DeploymentVerb(
            word: "updateModel", name: "updateModel", right: .update,
            summary: "Changes the model's version.",
            form: BodyForm(version.field, artifact.field, strategy.field, reason.field)
        ) { values throws(Problem) in
            .updateModel(
                version: try values.needed(version), artifact: values[artifact],
                strategy: values[strategy])
        },
        DeploymentVerb(
            word: "redeploy", name: "redeploy", right: .update,
            summary: "Runs the content of a revision again, as a new revision.",
            form: BodyForm(revision.field, patch.field, reason.field)
        ) { values in .redeploy(revision: values[revision], patch: values[patch]) },
        DeploymentVerb(
            word: "rollback", name: "rollbackDeployment", right: .rollback,
            summary: "Goes back to a revision, as a new one; never changes how many replicas run.",
            form: BodyForm(to.field, strategy.field, reason.field)
        ) { values in .rollback(to: values[to], strategy: values[strategy]) },
    ]

    private static func scale(_ values: BodyValues) throws(Problem) -> DeploymentChange {
        let isAutomatic = values[automatic] ?? false
        guard (values[replicas] != nil) != isAutomatic else {
            throw Problem(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer(["replicas"]), code: .missing,
                        message: "say 'replicas', or 'automatic': true, and not both")
                ]), code: "INVALID_BODY")
        }
        return .scale(replicas: values[replicas], until: nil)
    }
}

extension AdminRoutes {
    static let deploymentVerbs: [AdminEndpoint] =
        DeploymentVerb.all.map { verb in
            AdminEndpoint(
                .post, "/v1/deployments/{name}:\(verb.word)", verb.name, "deployments",
                .needs(verb.right, .deployment, .deployment), verb.summary,
                parameters: AdminRoutes.verb, body: .form(verb.form), answers: begun
            ) { api, call, isDryRun in
                let values = try call.values(verb.form)
                let change = api.timed(try verb.change(values), for: values[DeploymentVerb.lasting])
                return try await api.change(
                    change, call, isDryRun: isDryRun, reason: values[DeploymentVerb.reason])
            }
        } + [
            AdminEndpoint(
                .post, "/v1/deployments/{name}:plan", "planChange", "deployments",
                .needs(.read, .deployment, .deployment),
                "What a change would do: a merge patch, or an action with its arguments.",
                body: .schema("PlanRequest"), answers: [200: .json("Plan", "The plan.")],
                isQuestion: true
            ) { api, call in try await api.planChange(call) }
        ]
}
