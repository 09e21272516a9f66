// What somebody wants done to a deployment, and under which conditions. The API, the file and the
// command line all say it with these values; the controller is the only one that does it.

package import Foundation
package import Notation

package enum DeploymentChange: Sendable, Equatable {
    case create(DeploymentSpec)
    /// A merge patch (RFC 7396) of fields; never the version.
    case patch(JSONValue)
    /// The file's word: what differs between it and what was last applied by then.
    case apply(DeploymentSpec)
    /// So many replicas, for a time or for good; nil gives the number back to the scaling settings.
    case scale(replicas: Int?, until: Date?)
    /// The endpoint then answers 503 with the message.
    case stop(message: String?)
    case start
    case restart
    case updateModel(version: String, artifact: String?, strategy: StrategySpec?)
    /// The content of a revision (nil: the present one) again, with other settings if patched.
    case redeploy(revision: Int?, patch: JSONValue?)
    /// Nil is the last revision that was good before the present one.
    case rollback(to: Int?, strategy: StrategySpec?)
    case delete

    /// What becomes of the one at work when nobody has said. Ending and going back are never kept
    /// waiting: they are what is wanted when something goes wrong.
    var usualConflict: ChangeRequest.OnConflict {
        switch self {
        case .stop, .delete, .rollback: .supersede
        default: .refuse
        }
    }

    /// False for an edit of nothing but fields that are in force at once.
    var mayTakeTime: Bool {
        guard case .patch(let patch) = self else { return true }
        // What is wrong with it is told by whoever decides.
        let named = SpecEntries(patch, isPatch: true, faults: Faults())
        return DeploymentFields.all.contains {
            named.has($0.name)
                && ($0.edit.makesRevision || $0.name == "scaling_config.min_replicas")
        }
    }

    /// As operations, events and the audit trail call it.
    package var action: String {
        switch self {
        case .create: "create"
        case .patch: "update"
        case .apply: "apply"
        case .scale: "scale"
        case .stop: "stop"
        case .start: "start"
        case .restart: "restart"
        case .updateModel: "update_model"
        case .redeploy: "redeploy"
        case .rollback: "rollback"
        case .delete: "delete"
        }
    }
}

/// Who asks, and what must hold.
package struct ChangeRequest: Sendable {
    /// For the audit trail: a token's id, or a part of Penstock.
    package var actor: String
    /// May override what only an admin may.
    package var isAdmin: Bool
    /// May change its spec; whoever may not goes back only.
    package var mayUpdate = true
    package var reason: String?
    package var requestID: String
    /// What `If-Match` says; nil is any.
    package var expectedVersion: String?
    /// All checks, no change.
    package var isDryRun: Bool
    /// Nil is what is usual for the change.
    package var onConflict: OnConflict?
    /// Whose file is applied.
    package var source: String?
    /// The client's key for this request, within its token; stored with `answer`.
    package var repetition: RepetitionKey?
    /// Makes the answer that a repetition of the request gets; called just before the commit, to
    /// be stored with it.
    package var answer: (@Sendable (ChangeReceipt) -> RepeatedAnswer)?

    package enum OnConflict: String, Sendable, CaseIterable {
        /// The running operation is told.
        case refuse
        case queue
        /// The running operation is cancelled.
        case supersede
    }

    /// The configuration of the gateway itself.
    package static let fileSource = "file"
    /// Whoever does not say.
    package static let applySource = "apply"

    package init(
        actor: String, isAdmin: Bool = false, reason: String? = nil, requestID: String = "",
        expectedVersion: String? = nil, isDryRun: Bool = false, onConflict: OnConflict? = nil,
        repetition: RepetitionKey? = nil,
        answer: (@Sendable (ChangeReceipt) -> RepeatedAnswer)? = nil
    ) {
        self.actor = actor
        self.isAdmin = isAdmin
        self.reason = reason
        self.requestID = requestID
        self.expectedVersion = expectedVersion
        self.isDryRun = isDryRun
        self.onConflict = onConflict
        self.repetition = repetition
        self.answer = answer
    }
}

package enum ReplicaAction: String, Sendable, CaseIterable {
    /// Out of the rotation until it is restored or replaced; the process stays.
    case drain, undrain
    /// Another takes its place, then it ends.
    case restart
    /// Out of the rotation and ended at once.
    case eject
}
