// Revisions, differences and plans as the API tells them.

import Deployments
import Notation

extension Revision {
    /// - Parameter isInForce: whether it is the one that is wanted now.
    func json(isInForce: Bool) -> JSONValue {
        .object([
            "kind": "revision", "number": .count(number), "parent": parent.map { .count($0) },
            "change": .string(kind.rawValue), "current": .bool(isInForce),
            "version": content.document["version"], "digest": .string(content.digest),
            "artifact": content.facts.artifact.map(\.json),
            "config_digest": .optional(content.facts.configDigest),
            "content": content.document, "strategy": strategy.document,
            "created_at": .time(createdAt), "created_by": .string(createdBy),
            "reason": .optional(reason), "rollback_of": rollbackOf.map { .count($0) },
        ])
    }
}

extension ArtifactRecord {
    var json: JSONValue {
        .object([
            "path": .string(path), "directory": .bool(isDirectory), "sha256": .string(sha256),
            "bytes": .integer(bytes), "files": .count(files),
        ])
    }
}

extension FieldDifference {
    var json: JSONValue {
        .object([
            "field": .string(path), "from": from, "to": to, "edit": .string(edit.rawValue),
        ])
    }
}

extension EditSummary {
    var json: JSONValue {
        .object([
            "live": .texts(live), "restart": .texts(restart), "via_update_model": .texts(model),
        ])
    }
}

extension ChangePlan {
    var json: JSONValue {
        .object([
            "kind": "plan", "action": .string(action), "edit_summary": summary.json,
            "differences": .array(differences.map(\.json)), "makes_revision": .bool(makesRevision),
            "restarts_replicas": .bool(replaced > 0), "replaced_replicas": .count(replaced),
            "replicas": .object([
                "now": .count(replicas.now), "after": .count(replicas.after),
                "peak": .count(replicas.peak),
            ]),
            "fits": .bool(fit.fits), "reasons": .texts(fit.reasons),
            "alternatives": .texts(fit.alternatives),
            "expected_seconds": expected.time.map(JSONValue.seconds),
            "expected_basis": .string(expected.basis), "steps": .texts(steps),
            "warnings": warningsJSON,
        ])
    }

    var warningsJSON: JSONValue { .array(warnings.map(\.json)) }
}

extension ChangePlan.Warning {
    var json: JSONValue {
        .object([
            "code": .string(code), "message": .string(message), "field": .optional(field),
        ])
    }
}
