// Rows about the replicas of a deployment: what they do, what they say, how they ended.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let replicas: [AdminEndpoint] =
        [
            AdminEndpoint(
                .get, "/v1/deployments/{name}/replicas", "listReplicas", "replicas",
                .needs(.read, .replica, .deployment), "Its replicas.",
                parameters: Listing.parameters,
                answers: [200: .json("ReplicaList", "A page of them.")]
            ) { api, call in try await api.listReplicas(call) },
            AdminEndpoint(
                .get, "/v1/deployments/{name}/replicas/{replica}", "getReplica", "replicas",
                .needs(.read, .replica, .deployment), "One replica.",
                answers: [200: .json("Replica", "It.")]
            ) { api, call in
                .json(api.deploymentJSON.replica(try await api.replica(call)))
            },
            AdminEndpoint(
                .get, "/v1/deployments/{name}/replicas/{replica}/logs", "getLogs", "replicas",
                .needs(.read, .log, .deployment),
                "Its output: a range of it, or as it comes (server-sent events).",
                parameters: logParameters,
                answers: [
                    200: .init(
                        explanation: "Lines; with `follow`, or by `Accept`, events or plain text.",
                        schema: "LogPage", alternatives: ["text/event-stream", "text/plain"])
                ]
            ) { api, call in try await api.logs(call) },
            AdminEndpoint(
                .get, "/v1/deployments/{name}/dossiers", "listDossiers", "replicas",
                .needs(.read, .log, .deployment), "How runs of its replicas failed, newest first.",
                answers: [200: .json("DossierList", "All that are kept.")]
            ) { api, call in try await api.listDossiers(call) },
        ]
        + ReplicaAction.allCases.map { action in
            AdminEndpoint(
                .post, "/v1/deployments/{name}/replicas/{replica}:\(action.rawValue)",
                "\(action.rawValue)Replica", "replicas",
                .needs(action == .restart ? .restart : .drain, .replica, .deployment),
                summary(action), parameters: [prefer],
                body: .form(reasonOnly), answers: begun
            ) { api, call, isDryRun in try await api.act(action, call, isDryRun: isDryRun) }
        }

    private static func summary(_ action: ReplicaAction) -> String {
        switch action {
        case .drain: "Takes it out of the rotation; the process stays."
        case .undrain: "Back into the rotation."
        case .restart: "Replaces it by a new one."
        case .eject: "Takes it out of the rotation and ends it at once."
        }
    }

    private static let logParameters = [
        Parameter(
            "run", .object(["type": "string", "pattern": "^(current|previous|[0-9]{1,9})$"]),
            "Which run: current (the usual), previous, or its number."),
        Parameter(
            "offset", .object(["type": "integer", "minimum": 0]),
            "Byte of the run to begin at; `next` of the page before."),
        Parameter(
            "tail", .object(["type": "integer", "minimum": 1, "maximum": 10_000]),
            "Only the last so many lines."),
        Parameter(
            "since", .object(["type": "string", "format": "date-time"]), "Only lines since then."),
        Parameter(
            "limit", .object(["type": "integer", "minimum": 1, "maximum": 10_000]),
            "At most so many lines."),
        Parameter(
            "follow", .object(["type": "boolean"]),
            "Goes on as events until the run is over or nobody reads."),
        Parameter(
            "Last-Event-ID", .object(["type": "string"]), in: .header,
            "With `follow`: where the stream broke off; wins over where to begin."),
    ]
}
