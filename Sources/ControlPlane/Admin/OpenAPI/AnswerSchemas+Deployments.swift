// Schemas of deployments, their replicas and revisions, and what is told of them. The shapes are
// those of Deployments/DeploymentJSON and RevisionJSON.

import Deployments
import Notation

extension AnswerSchemas {
    private static let counts = Shape.object([
        "desired": Shape.count, "ready": Shape.count, "starting": Shape.count,
        "failed": Shape.count, "draining": Shape.count,
    ])

    private static let condition = Shape.object([
        "type": Shape.word(DeploymentCondition.Kind.allCases.map(\.rawValue)),
        "status": Shape.word(["True", "False", "Unknown"]), "reason": Shape.text,
        "message": Shape.text, "last_transition_time": Shape.time,
        "observed_generation": Shape.count,
    ])

    private static let statusWord = Shape.word(StatusWord.allCases.map(\.rawValue))
    private static let activity = Shape.word(ActivityWord.allCases.map(\.rawValue))
    private static let desire = Shape.word(Desire.allCases.map(\.rawValue))

    private static let metadata = Shape.object(
        [
            "id": Shape.text, "name": Shape.text, "generation": Shape.count,
            "resource_version": Shape.text, "labels": Shape.map(of: Shape.text),
            "created_at": Shape.time, "updated_at": Shape.time, "created_by": Shape.text,
        ], optional: ["applied_from": Shape.text, "orphaned": Shape.flag])

    private static let status = Shape.object(
        [
            "status": statusWord, "reason": Shape.text, "activity": activity,
            "active": Shape.flag, "desired_state": desire, "replicas": counts,
            "message": Shape.text, "since": Shape.time, "observed_generation": Shape.count,
            "conditions": Shape.list(of: condition), "revision": Shape.count,
            "target_replicas": Shape.count,
            "endpoint": Shape.object(
                ["path": Shape.text, "header": Shape.text],
                optional: ["url": Shape.text, "curl": Shape.text]),
            "enforcement": Shape.map(of: Shape.text),
        ],
        optional: [
            "revision_in_force": Shape.count, "stop_message": Shape.text,
            "operation": Shape.text,
            "manual_scale": Shape.object(
                ["replicas": Shape.count, "by": Shape.text],
                optional: ["until": Shape.time, "reason": Shape.text]),
        ])

    private static let deployment = Shape.object(
        [
            "kind": Shape.constant("deployment"), "metadata": metadata,
            "spec": SpecSchema.object(.shown), "status": status,
        ],
        optional: [
            "edit_summary": Shape.reference("EditSummary"),
            "warnings": Shape.list(of: Shape.reference("Warning")), "dry_run": Shape.flag,
            "plan": Shape.reference("Plan"),
        ])

    private static let replica = Shape.object(
        [
            "name": Shape.text, "deployment": Shape.text, "revision": Shape.count,
            "state": Shape.word(ReplicaPhase.allCases.map(\.rawValue)), "ejected": Shape.flag,
            "drained": Shape.flag, "since": Shape.time, "restarts": Shape.count,
            "gpus": Shape.list(of: Shape.text),
        ],
        optional: [
            "address": Shape.text, "started_at": Shape.time, "ready_at": Shape.time,
            "waiting_for": Shape.text, "cause": Shape.text, "process_id": Shape.whole,
            "usage": Shape.object(
                ["at": Shape.time, "cores": Shape.number, "memory": Shape.count],
                optional: ["gpu_percent": Shape.number]), "in_flight": Shape.count,
            "requests": Shape.count,
        ])

    private static let revision = Shape.object(
        [
            "kind": Shape.constant("revision"), "number": Shape.count,
            "change": Shape.word(Revision.Kind.allCases.map(\.rawValue)), "current": Shape.flag,
            "version": Shape.text, "digest": Shape.text, "content": Shape.any,
            "strategy": Shape.any, "created_at": Shape.time, "created_by": Shape.text,
        ],
        optional: [
            "parent": Shape.count, "artifact": Shape.reference("Artifact"),
            "config_digest": Shape.text, "reason": Shape.text, "rollback_of": Shape.count,
        ])

    static let difference = Shape.object(
        ["field": Shape.text, "edit": Shape.word(EditClass.allCases.map(\.rawValue))],
        optional: ["from": .object([JSONValue.Member]()), "to": .object([JSONValue.Member]())])

    private static let line = Shape.object(
        [
            "offset": Shape.count, "time": Shape.time,
            "stream": Shape.word(["stdout", "stderr", "penstock"]), "text": Shape.text,
        ], optional: ["partial": Shape.flag])

    private static let dossier = Shape.object([
        "replica": Shape.text, "deployment": Shape.text, "revision": Shape.count,
        "run": Shape.count, "model": Shape.text, "version": Shape.text,
        "started_at": Shape.time, "ended_at": Shape.time, "exit": Shape.text,
        "cause": Shape.text, "command_line": Shape.list(of: Shape.text),
        "last_out": Shape.list(of: Shape.text), "last_error": Shape.list(of: Shape.text),
        "memory_max": Shape.count, "cpu_seconds": Shape.number,
        "gpus": Shape.list(of: Shape.text),
    ])

    static let deployments = [
        schema("Deployment", deployment),
        schema(
            "DeploymentList", Shape.page("deployments", of: Shape.part(of: "Deployment"))),
        schema("DeploymentCreate", SpecSchema.object(.create)),
        schema("DeploymentApply", SpecSchema.object(.create)),
        schema("DeploymentPatch", SpecSchema.object(.patch)),
        schema(
            "Health",
            Shape.object([
                "status": statusWord, "reason": Shape.text, "activity": activity,
                "active": Shape.flag, "desired_state": desire, "replicas": counts,
                "message": Shape.text, "since": Shape.time,
                "conditions": Shape.list(of: condition),
            ])),
        schema("Replica", replica),
        schema("ReplicaList", Shape.page("replicas", of: Shape.part(of: "Replica"))),
        schema("Revision", revision),
        schema("RevisionList", Shape.page("revisions", of: revision)),
        schema(
            "RevisionDiff",
            Shape.object([
                "from": Shape.count, "to": Shape.count,
                "differences": Shape.list(of: difference),
            ])),
        schema(
            "LogPage",
            Shape.object([
                "run": Shape.count, "lines": Shape.list(of: line), "next": Shape.count,
                "first": Shape.count, "end": Shape.count, "complete": Shape.flag,
            ])),
        schema("DossierList", Shape.object(["dossiers": Shape.list(of: dossier)])),
        schema(
            "Lint", Shape.object(["warnings": Shape.list(of: Shape.reference("Warning"))])),
    ]
}
