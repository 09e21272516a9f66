// Why a change of a deployment is refused or cannot be told. Nothing was done in any of these
// cases; each carries what the answer must name.

package import Foundation

package enum ControlError: Error, Sendable, Equatable {
    case notFound(deployment: String, deletedAt: Date?)
    case nameTaken(String)
    case invalid(SpecProblems)
    /// Not in this state: `start` of what runs.
    case illegal(action: String, status: String, hint: String)
    /// One change at a time: this one is at work.
    case busy(operation: DeploymentOperation)
    /// As many wait already as may.
    case queueFull(behind: DeploymentOperation, limit: Int)
    /// Somebody has changed it since it was read.
    case stale(expected: String, found: String)
    /// Others change it faster than what this change names can be looked up.
    case overtaken(deployment: String)
    case doesNotFit(ChangePlan)
    case unknownReplica(String, deployment: String, known: [String])
    case unknownRevision(Int, deployment: String, known: [Int])
    case unknownOperation(String)
    case model(ModelError)
    /// Only an admin may do this.
    case needsAdmin(what: String)
    /// Whoever may only go back may not do this.
    case needsUpdate(what: String)
    /// A word that is valid here and has no effect yet.
    case notSupported(what: String, hint: String)
    /// Changes cannot be stored now; what runs goes on.
    case readOnly(reason: String)
}
