// What an operation was asked to do, and what it came to: the JSON that its document keeps, so that
// whoever takes it up after a crash knows as much as whoever began it.

import Foundation
import Notation
import State

struct OperationRequest: Codable, Equatable {
    var action: String
    /// Only of one that waits: what is to be done when its turn comes.
    var change: StoredChange?
    var actor: String
    var isAdmin = false
    /// Nil of one that an earlier Penstock has stored.
    var mayUpdate: Bool?
    var requestID = ""
    var reason: String?
    var source: String?
    var fromRevision: Int?
    var toRevision: Int?
    /// What failing or cancelling goes back to; nil of what waits, and of what had nothing before.
    var before: EarlierWish?
}

struct OperationResponse: Codable, Equatable {
    var hasRolledBack = false
    var hint: String?
}

extension OperationRecord {
    /// An operation of another shape is not ours to read.
    var asked: OperationRequest? {
        request.flatMap { try? JSONText.decode(OperationRequest.self, from: $0, of: id) }
    }

    var outcome: OperationResponse {
        // Absent until it ends.
        response.flatMap { try? JSONText.decode(OperationResponse.self, from: $0, of: id) }
            ?? OperationResponse()
    }

    static let kindPrefix = "deployment."

    var view: DeploymentOperation {
        let asked = asked
        return DeploymentOperation(
            id: id, action: String(kind.trimmingPrefix(Self.kindPrefix)), deployment: target.name,
            phase: DeploymentOperation.Phase(rawValue: state.rawValue) ?? .running,
            stepsDone: progress.done, stepsTotal: progress.total, message: progress.message,
            failure: error.map {
                DeploymentOperation.Failure(code: $0.code, message: $0.message, hint: outcome.hint)
            }, createdAt: createdAt, createdBy: createdBy, updatedAt: updatedAt,
            finishedAt: finishedAt, reason: asked?.reason, fromRevision: asked?.fromRevision,
            toRevision: asked?.toRevision, hasRolledBack: outcome.hasRolledBack)
    }
}

/// A change as JSON, for the queue.
struct StoredChange: Codable, Equatable {
    var action: String
    var spec: DeploymentSpec?
    var patch: JSONValue?
    var replicas: Int?
    var until: Date?
    var message: String?
    var version: String?
    var artifact: String?
    var strategy: StrategySpec?
    var revision: Int?

    init(_ change: DeploymentChange) {
        action = change.action
        switch change {
        case .create(let spec): self.spec = spec
        case .patch(let patch): self.patch = patch
        case .apply(let spec): self.spec = spec
        case .scale(let replicas, let until): (self.replicas, self.until) = (replicas, until)
        case .stop(let message): self.message = message
        case .start, .restart, .delete: break
        case .updateModel(let version, let artifact, let strategy):
            (self.version, self.artifact, self.strategy) = (version, artifact, strategy)
        case .redeploy(let revision, let patch):
            (self.revision, self.patch) = (revision, patch)
        case .rollback(let revision, let strategy):
            (self.revision, self.strategy) = (revision, strategy)
        }
    }

    /// Nil for what a later Penstock has stored.
    var change: DeploymentChange? {
        switch action {
        case "create": spec.map { .create($0) }
        case "update": patch.map { .patch($0) }
        case "apply": spec.map { .apply($0) }
        case "scale": .scale(replicas: replicas, until: until)
        case "stop": .stop(message: message)
        case "start": .start
        case "restart": .restart
        case "update_model":
            version.map { .updateModel(version: $0, artifact: artifact, strategy: strategy) }
        case "redeploy": .redeploy(revision: revision, patch: patch)
        case "rollback": .rollback(to: revision, strategy: strategy)
        case "delete": .delete
        default: nil
        }
    }
}
