// Rows about operations, and about what is written down: events, the audit trail, the watch. Which
// deployments a list or a stream tells of is the handler's to decide, by what the token may read.

import Notation
import State

extension AdminRoutes {
    static let reasonOnly = BodyForm(DeploymentVerb.reason.field)

    static let operations: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/operations", "listOperations", "operations",
            .needs(.read, .operation, .handler), "Operations, those at work and those of late.",
            parameters: Listing.parameters + [
                Parameter(
                    "deployment", .object(["type": "string", "maxLength": 200]),
                    "Only on this deployment.")
            ], answers: [200: .json("OperationList", "A page of them.")]
        ) { api, call in try await api.listOperations(call) },
        AdminEndpoint(
            .get, "/v1/operations/{id}", "getOperation", "operations",
            .needs(.read, .operation, .operation), "One operation.",
            answers: [200: .json("Operation", "It.")]
        ) { api, call in try await api.getOperation(call) },
        AdminEndpoint(
            .get, "/v1/operations/{id}:wait", "waitOperation", "operations",
            .needs(.read, .operation, .operation), "Answers when it is done, or the time is over.",
            parameters: [
                Parameter(
                    "timeout", .object(["type": "integer", "minimum": 0, "maximum": 30]),
                    "Seconds to wait; 30 without it.")
            ], answers: [200: .json("Operation", "As it is by then.")]
        ) { api, call in try await api.awaitOperation(call) },
        AdminEndpoint(
            .post, "/v1/operations/{id}:cancel", "cancelOperation", "operations",
            .needs(.cancel, .operation, .operation), "Ends it early, where that is possible.",
            body: .form(reasonOnly),
            answers: [200: .json("Operation", "As it is now.")]
        ) { api, call, isDryRun in try await api.cancelOperation(call, isDryRun: isDryRun) },
    ]

    private static let since = Parameter(
        "since", .object(["type": "integer", "minimum": 0]),
        "The commit sequence after which to begin; only what is to come without it.")

    /// What entries of the audit trail are about. A name that is not there any more is a fair
    /// question; a kind that there is not is a slip.
    private static let auditedKinds = [
        "config", "deployment", "model-version", "operation", "replica", "secret", "service",
        "system", "token",
    ]

    static let records: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/watch", "watch", "records", .needs(.read, .event, .handler),
            "Changes as server-sent events; `id` is the commit sequence.",
            parameters: [
                since,
                Parameter(
                    "kinds", .object(["type": "string", "maxLength": 200]),
                    "Only of these kinds, by commas: deployment, replica, operation, model_version."
                ),
                Parameter(
                    "Last-Event-ID", .object(["type": "string"]), in: .header,
                    "Where the stream broke off; wins over `since`."),
            ],
            answers: [
                200: .init(
                    explanation: "Events; a comment each 15 s shows that it lives.",
                    schema: "Event", mediaType: "text/event-stream"),
                410: .json("Problem", "The changes since are no longer known: list again."),
            ]
        ) { api, call in try await api.watch(call) },
        AdminEndpoint(
            .get, "/v1/events", "listEvents", "records", .needs(.read, .event, .handler),
            "What has happened, in words, newest first.",
            parameters: Listing.pageParameters + [
                Parameter(
                    "deployment", .object(["type": "string", "maxLength": 200]),
                    "Only about this deployment."),
                Parameter(
                    "type", .object(["type": "string", "enum": .texts(["Normal", "Warning"])]),
                    "Only of this type."),
            ], answers: [200: .json("EventList", "A page of them.")]
        ) { api, call in try await api.listEvents(call) },
        AdminEndpoint(
            .get, "/v1/audit", "listAudit", "records", .needs(.read, .audit, .handler),
            "Who did what, newest first; of what the token may see, so a page may be short.",
            parameters: Listing.pageParameters + [
                Parameter("actor", .object(["type": "string", "maxLength": 200]), "Only by it."),
                Parameter(
                    "kind", .object(["type": "string", "enum": .texts(auditedKinds)]),
                    "Only about things of this kind."),
                Parameter(
                    "name", .object(["type": "string", "maxLength": 300]),
                    "Only about the thing of this name; needs `kind`."),
                Parameter(
                    "action", .object(["type": "string", "maxLength": 100]),
                    "Only actions that begin with it."),
                Parameter(
                    "since", .object(["type": "string", "format": "date-time"]),
                    "Not before this moment."),
                Parameter(
                    "before", .object(["type": "string", "format": "date-time"]),
                    "Before this moment."),
            ], answers: [200: .json("AuditList", "A page of it.")]
        ) { api, call in try await api.listAudit(call) },
        AdminEndpoint(
            .get, "/v1/audit:verify", "verifyAudit", "records", .needs(.verify, .audit, .none),
            "Walks the chain of hashes.", answers: [200: .json("AuditVerdict", "What it found.")]
        ) { api, _ in try await api.verifyAudit() },
    ]
}
