// What the API answers and takes, by name. The shapes are those of the files that write them; the
// contract tests hold each answer against its schema.

import Deployments
import Notation
import State

enum AnswerSchemas {
    /// In the order in which the document lists them.
    static let all: [JSONValue.Member] =
        general + services + deployments + changes + models + variables + access + records + system

    static func schema(_ name: String, _ shape: JSONValue) -> JSONValue.Member {
        JSONValue.Member(name: name, value: shape)
    }

    private static let general = [
        schema("Text", Shape.text), schema("Object", Shape.any),
        schema(
            "Event",
            .object([
                "type": "object", "description": "A server-sent event; `data` is JSON.",
                "properties": .object([
                    "id": Shape.text, "event": Shape.text, "data": Shape.text,
                ]),
            ])),
        schema(
            "Problem",
            .object([
                "type": "object",
                "description": "RFC 9457, with a code for programs and a hint for people.",
                "required": .texts(["type", "title", "status", "code", "detail", "requestId"]),
                "properties": .object([
                    "type": Shape.text, "title": Shape.text, "status": Shape.whole,
                    "code": Shape.text, "detail": Shape.text, "hint": Shape.text,
                    "requestId": Shape.text,
                    "errors": Shape.list(
                        of: Shape.object([
                            "pointer": Shape.text, "code": Shape.text, "message": Shape.text,
                        ])),
                ]),
            ])),
        schema("Liveness", Shape.object(["status": Shape.text])),
        schema(
            "Readiness",
            Shape.object([
                "status": Shape.word(["ready", "not_ready"]),
                "reasons": Shape.list(of: Shape.text), "generation": Shape.count,
            ])),
    ]

    private static let share = JSONValue.object(["type": "number", "minimum": 0, "maximum": 100])

    private static let services = [
        schema(
            "ServiceList",
            Shape.object(["generation": Shape.count, "services": Shape.list(of: Shape.any)])),
        schema("Service", Shape.any), schema("ServiceStats", Shape.any),
        schema(
            "Split",
            .object([
                "type": "object",
                "description": "Percent by revision, in steps of 0.1; 100 in all.",
                "additionalProperties": share,
                "examples": .array([
                    .object(["stable": 90, "canary": 10])
                ]),
            ])),
        schema(
            "Traffic",
            Shape.object(
                [
                    "generation": Shape.count, "service": Shape.text,
                    "traffic": Shape.map(of: share),
                    "source": Shape.word(["file", "api", "deployment"]),
                ], optional: ["set_at": Shape.time, "dry_run": Shape.flag])),
        schema(
            "Drain",
            Shape.object(
                [
                    "generation": Shape.count, "service": Shape.text, "address": Shape.text,
                    "drained": Shape.flag,
                ], optional: ["dry_run": Shape.flag])),
    ]

    private static let operation: KeyValuePairs<String, JSONValue> = [
        "kind": Shape.constant("operation"), "id": Shape.text, "action": Shape.text,
        "deployment": Shape.text,
        "state": Shape.word(DeploymentOperation.Phase.allCases.map(\.rawValue)),
        "done": Shape.flag,
        "progress": Shape.object([
            "done": Shape.count, "total": Shape.count, "message": Shape.text,
        ]), "rolled_back": Shape.flag, "created_at": Shape.time, "created_by": Shape.text,
        "updated_at": Shape.time,
    ]

    private static let changes = [
        schema(
            "Operation",
            Shape.object(
                operation,
                optional: [
                    "error": Shape.object(
                        ["code": Shape.text, "message": Shape.text],
                        optional: ["hint": Shape.text]), "reason": Shape.text,
                    "from_revision": Shape.count, "to_revision": Shape.count,
                    "finished_at": Shape.time, "dry_run": Shape.flag,
                    "edit_summary": Shape.reference("EditSummary"),
                    "warnings": Shape.list(of: Shape.reference("Warning")),
                ])),
        schema("OperationList", Shape.page("operations", of: Shape.part(of: "Operation"))),
        schema(
            "DryRun", Shape.object(["dry_run": Shape.flag], optional: ["would_be": Shape.any])),
        schema(
            "Changed", Shape.either(Shape.reference("Deployment"), Shape.reference("Operation"))),
        schema(
            "EditSummary",
            Shape.object([
                "live": Shape.list(of: Shape.text), "restart": Shape.list(of: Shape.text),
                "via_update_model": Shape.list(of: Shape.text),
            ])),
        schema(
            "Warning",
            Shape.object(
                ["code": Shape.text, "message": Shape.text], optional: ["field": Shape.text])),
        schema(
            "Plan",
            Shape.object(
                [
                    "kind": Shape.constant("plan"), "action": Shape.text,
                    "edit_summary": Shape.reference("EditSummary"),
                    "differences": Shape.list(of: difference), "makes_revision": Shape.flag,
                    "restarts_replicas": Shape.flag, "replaced_replicas": Shape.count,
                    "replicas": Shape.object([
                        "now": Shape.count, "after": Shape.count, "peak": Shape.count,
                    ]), "fits": Shape.flag, "reasons": Shape.list(of: Shape.text),
                    "alternatives": Shape.list(of: Shape.text), "expected_basis": Shape.text,
                    "steps": Shape.list(of: Shape.text),
                    "warnings": Shape.list(of: Shape.reference("Warning")),
                ], optional: ["expected_seconds": Shape.number])),
        schema(
            "PlanRequest",
            Shape.either(
                Shape.reference("DeploymentPatch"),
                Shape.object(
                    [
                        "action": Shape.word(
                            DeploymentVerb.all.map { Spelling.snakeCase($0.word) }
                                + ["update", "delete"])
                    ], optional: ["arguments": Shape.any]))),
    ]

    private static let artifact = Shape.object([
        "path": Shape.text, "directory": Shape.flag, "sha256": Shape.text,
        "bytes": Shape.count, "files": Shape.count,
    ])

    private static let version = Shape.object(
        [
            "kind": Shape.constant("model_version"), "model": Shape.text,
            "version": Shape.text, "description": Shape.text, "defaults": Shape.any,
            "registered_at": Shape.time, "registered_by": Shape.text,
        ], optional: ["artifact": Shape.reference("Artifact"), "dry_run": Shape.flag])

    private static let models = [
        schema("Artifact", artifact),
        schema(
            "Model",
            Shape.object(
                [
                    "kind": Shape.constant("model"), "name": Shape.text,
                    "versions": Shape.list(of: Shape.text),
                ], optional: ["latest": Shape.text])),
        schema("ModelList", Shape.page("models", of: Shape.part(of: "Model"))),
        schema("Version", version),
        schema("VersionList", Shape.page("versions", of: version)),
        schema(
            "Verdict",
            Shape.object(
                ["verified": Shape.flag, "at": Shape.time], optional: ["sha256": Shape.text])),
    ]

    private static func versioned(_ kind: VariableKind) -> JSONValue {
        let version: KeyValuePairs<String, JSONValue> = [
            "version": Shape.count, "fingerprint": Shape.text, "created_at": Shape.time,
            "created_by": Shape.text,
        ]
        return Shape.object(
            [
                "kind": Shape.constant(kind.rawValue), "name": Shape.text,
                "environment": Shape.text, "description": Shape.text, "version": Shape.count,
                "versions": Shape.list(
                    of: kind == .secret
                        ? Shape.object(version)
                        : Shape.object(version, optional: ["values": Shape.map(of: Shape.text)])),
            ], optional: ["dry_run": Shape.flag])
    }

    private static let variables = [
        schema("Secret", versioned(.secret)),
        schema("SecretList", Shape.page("secrets", of: Shape.part(of: "Secret"))),
        schema("Config", versioned(.config)),
        schema("ConfigList", Shape.page("configs", of: Shape.part(of: "Config"))),
    ]

    private static let grant = Shape.object(
        ["role": Shape.word(Role.allCases.map(\.rawValue))],
        optional: ["environments": Shape.list(of: Shape.text)])

    private static let token: KeyValuePairs<String, JSONValue> = [
        "kind": Shape.constant("token"), "id": Shape.text, "note": Shape.text,
        "grants": Shape.list(of: grant), "created_at": Shape.time, "created_by": Shape.text,
        "bootstrap": Shape.flag,
    ]

    private static let tokenTimes: KeyValuePairs<String, JSONValue> = [
        "expires_at": Shape.time, "last_used_at": Shape.time, "revoked_at": Shape.time,
        "dry_run": Shape.flag,
    ]

    private static let access = [
        schema("Token", Shape.object(token, optional: tokenTimes)),
        schema("WhoAmI", Shape.reference("Token")),
        schema("TokenList", Shape.page("tokens", of: Shape.part(of: "Token"))),
        schema(
            "NewToken",
            Shape.object(
                token,
                optional: [
                    "secret": Shape.text, "expires_at": Shape.time, "last_used_at": Shape.time,
                    "revoked_at": Shape.time,
                ])),
        schema(
            "RightAnswers",
            Shape.object([
                "results": Shape.list(
                    of: Shape.object(
                        ["verb": Shape.text, "resource": Shape.text, "allowed": Shape.flag],
                        optional: ["environment": Shape.text]))
            ])),
    ]

    private static let records = [
        schema(
            "EventList",
            Shape.page(
                "events",
                of: Shape.object([
                    "id": Shape.count, "kind": Shape.text, "name": Shape.text,
                    "type": Shape.word(EventType.allCases.map(\.rawValue)), "reason": Shape.text,
                    "message": Shape.text, "actor": Shape.text, "count": Shape.count,
                    "first_at": Shape.time, "last_at": Shape.time,
                ]), hasTotal: false)),
        schema(
            "AuditList",
            Shape.page(
                "entries",
                of: Shape.object([
                    "id": Shape.count, "at": Shape.time, "actor": Shape.text,
                    "action": Shape.text, "kind": Shape.text, "name": Shape.text,
                    "before": Shape.text, "after": Shape.text, "request_id": Shape.text,
                    "detail": Shape.map(of: Shape.text), "previous_hash": Shape.text,
                    "hash": Shape.text,
                ]), hasTotal: false)),
        schema(
            "AuditVerdict",
            Shape.object(
                [
                    "intact": Shape.flag, "entries_checked": Shape.count,
                    "signed_up_to": Shape.count,
                ],
                optional: ["first_bad": Shape.count, "reason": Shape.text])),
    ]

    private static let system = [
        schema(
            "System",
            Shape.object(
                [
                    "version": Shape.text, "started_at": Shape.time,
                    "uptime_seconds": Shape.number, "process_id": Shape.whole,
                    "generation": Shape.count, "generation_in_force": Shape.count,
                    "streams_open": Shape.count,
                ],
                optional: [
                    "state": Shape.object(
                        ["sequence": Shape.count],
                        optional: ["read_only": Shape.text])
                ])),
        schema(
            "Backup",
            Shape.object(["file": Shape.text, "bytes": Shape.count, "sequence": Shape.count])),
        schema("NodeList", Shape.page("nodes", of: Shape.any)),
        schema("InstanceTypeList", Shape.object(["instance_types": Shape.list(of: Shape.any)])),
    ]
}
