// Deployments as the API tells them: who they are (metadata), what is wished (spec), what is so
// (status). Schemas of the same shapes stand in OpenAPI/AnswerSchemas.

import Deployments
import Foundation
import Notation

extension JSONValue {
    /// RFC 3339, UTC, milliseconds.
    static func time(_ date: Date) -> JSONValue {
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        return .string(Timestamp.text(milliseconds: Int64(max(-1e17, min(1e17, milliseconds)))))
    }

    static func seconds(_ duration: Duration) -> JSONValue {
        let (seconds, attoseconds) = duration.components
        return .decimal(Double(seconds) + (Double(attoseconds) / 1e15).rounded() / 1000)
    }

    static func optional(_ text: String?) -> JSONValue? { text.map(JSONValue.string) }
}

struct DeploymentJSON: Sendable {
    /// Where clients reach the gateway.
    var gatewayURL: String?

    func whole(_ view: DeploymentView) -> JSONValue {
        .object([
            "kind": "deployment", "metadata": metadata(view), "spec": view.spec.document,
            "status": status(view),
        ])
    }

    private func metadata(_ view: DeploymentView) -> JSONValue {
        .object([
            "id": .string(view.id), "name": .string(view.spec.name),
            "generation": .count(view.generation),
            "resource_version": .string(view.resourceVersion),
            "labels": .map(view.spec.labels), "created_at": .time(view.createdAt),
            "updated_at": .time(view.updatedAt), "created_by": .string(view.createdBy),
            "applied_from": .optional(view.appliedFrom),
            "orphaned": view.isOrphaned ? true : nil,
        ])
    }

    private func status(_ view: DeploymentView) -> JSONValue {
        let status = view.status
        let url = gatewayURL.map { "\($0)/\(view.spec.name)/" }
        return summary(view).merging(
            .object([
                "message": .string(status.message), "since": .time(status.since),
                "observed_generation": .count(status.observedGeneration),
                "conditions": .array(status.conditions.map(condition)),
                "revision": .count(view.revision),
                "revision_in_force": view.revisionInForce.map { .count($0) },
                "target_replicas": .count(view.target),
                "manual_scale": view.manualScale.map(manual),
                "stop_message": .optional(view.stopMessage),
                "operation": view.operation.map { .string($0.id) },
                "endpoint": .object([
                    "path": .string("/\(view.spec.name)/"), "url": .optional(url),
                    "header": .string("x-penstock-deployment: \(view.spec.name)"),
                    "curl": .optional(url.map { Self.example($0, view.spec) }),
                ]),
                "enforcement": .map(view.enforcement),
            ]))
    }

    /// What works with every model: under which name it serves is its own affair.
    private static func example(_ url: String, _ spec: DeploymentSpec) -> String {
        let path = spec.loadBalancer.healthPath.drop { $0 == "/" }
        return "curl -i '\(url)\(path.replacing("'", with: "%27"))'"
    }

    /// The word, its reason and the counts.
    func summary(_ view: DeploymentView) -> JSONValue {
        let status = view.status
        return .object([
            "status": .string(status.word.rawValue), "reason": .string(status.reason),
            "activity": .string(status.activity.rawValue),
            "active": .bool(status.activity != .inactive),
            "desired_state": .string(view.desire.rawValue),
            "replicas": .object([
                "desired": .count(status.replicas.desired),
                "ready": .count(status.replicas.ready),
                "starting": .count(status.replicas.starting),
                "failed": .count(status.replicas.failed),
                "draining": .count(status.replicas.draining),
            ]),
        ])
    }

    /// What a person wants to know first.
    func health(_ view: DeploymentView) -> JSONValue {
        summary(view).merging(
            .object([
                "message": .string(view.status.message), "since": .time(view.status.since),
                "conditions": .array(view.status.conditions.map(condition)),
            ]))
    }

    private func condition(_ condition: DeploymentCondition) -> JSONValue {
        .object([
            "type": .string(condition.kind.rawValue), "status": .string(condition.truth.rawValue),
            "reason": .string(condition.reason), "message": .string(condition.message),
            "last_transition_time": .time(condition.since),
            "observed_generation": .count(condition.observedGeneration),
        ])
    }

    private func manual(_ scale: ManualScale) -> JSONValue {
        .object([
            "replicas": .count(scale.replicas), "until": scale.until.map(JSONValue.time),
            "by": .string(scale.by), "reason": .optional(scale.reason),
        ])
    }

    func replica(_ view: ReplicaView) -> JSONValue {
        .object([
            "name": .string(view.name), "deployment": .string(view.deployment),
            "revision": .count(view.revision), "state": .string(view.phase.rawValue),
            "ejected": .bool(view.isEjected), "drained": .bool(view.isDrained),
            "address": .optional(view.address), "since": .time(view.since),
            "started_at": view.startedAt.map(JSONValue.time),
            "ready_at": view.readyAt.map(JSONValue.time), "restarts": .count(view.restarts),
            "waiting_for": .optional(view.waitingFor), "cause": .optional(view.cause),
            "process_id": view.processID.map { .count($0) }, "gpus": .texts(view.gpus),
            "usage": view.usage.map(usage), "in_flight": view.inFlight.map { .count($0) },
            "requests": view.requests.map { .count($0) },
        ])
    }

    private func usage(_ usage: ReplicaView.Usage) -> JSONValue {
        .object([
            "at": .time(usage.at), "cores": .number((usage.cores * 1000).rounded() / 1000),
            "memory": .count(usage.memoryBytes),
            "gpu_percent": usage.gpuPercent.map { .number($0) },
        ])
    }
}

extension DeploymentOperation {
    var json: JSONValue {
        .object([
            "kind": "operation", "id": .string(id), "action": .string(action),
            "deployment": .string(deployment), "state": .string(phase.rawValue),
            "done": .bool(phase.isDone),
            "progress": .object([
                "done": .count(stepsDone), "total": .count(stepsTotal),
                "message": .string(message),
            ]),
            "error": failure.map { failure in
                .object([
                    "code": .string(failure.code), "message": .string(failure.message),
                    "hint": .optional(failure.hint),
                ])
            },
            "rolled_back": .bool(hasRolledBack), "reason": .optional(reason),
            "from_revision": fromRevision.map { .count($0) },
            "to_revision": toRevision.map { .count($0) }, "created_at": .time(createdAt),
            "created_by": .string(createdBy), "updated_at": .time(updatedAt),
            "finished_at": finishedAt.map(JSONValue.time),
        ])
    }
}

extension NodeView {
    var json: JSONValue {
        .object([
            "kind": "node", "name": .string(name),
            "cpu": .object([
                "cores": .decimal(Double(room.cpuMillis) / 1000),
                "taken": .decimal(Double(room.cpuMillisTaken) / 1000),
            ]),
            "memory": .object([
                "bytes": .integer(room.memoryBytes), "taken": .integer(room.memoryBytesTaken),
            ]),
            "gpus": .array(
                gpus.map { gpu in
                    .object([
                        "id": .string(gpu.id), "type": .string(gpu.type),
                        "memory": .count(gpu.memoryBytes), "replica": .optional(gpu.replica),
                    ])
                }), "gpu_source": .string(gpuSource), "enforcement": .map(enforcement),
        ])
    }
}
