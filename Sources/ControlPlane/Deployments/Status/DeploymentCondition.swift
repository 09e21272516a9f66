// What is known of a deployment, one aspect each: the truth, a reason a program can branch on and a
// sentence for people. Conditions are the facts; the status is their ranked summary.

package import Foundation

package struct DeploymentCondition: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, CaseIterable, Codable {
        case available = "Available"
        case progressing = "Progressing"
        case degraded = "Degraded"
        case capacityOk = "CapacityOk"
        case artifactVerified = "ArtifactVerified"
        case routingSynced = "RoutingSynced"
        case scalingActive = "ScalingActive"
        case monitoringEnabled = "MonitoringEnabled"
        case driftOk = "DriftOk"
        /// True while changes cannot be stored; the data plane keeps its last plan.
        case readOnly = "ControlPlaneReadOnly"
    }

    package enum Truth: String, Sendable, Codable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    package var kind: Kind
    package var truth: Truth
    /// CamelCase, stable: what programs compare.
    package var reason: String
    package var message: String
    /// When `truth` last changed.
    package var since: Date
    /// The generation of the wish that this was judged by.
    package var observedGeneration: Int
}

/// A condition as it should be now, not yet compared with what was said before.
struct Finding: Equatable {
    var kind: DeploymentCondition.Kind
    var truth: DeploymentCondition.Truth
    var reason: String
    var message: String

    /// Keeps the moment of the last transition: only a change of truth is one.
    func condition(after earlier: DeploymentCondition?, generation: Int, now: Date)
        -> DeploymentCondition
    {
        let since = earlier.flatMap { $0.truth == truth ? $0.since : nil } ?? now
        return DeploymentCondition(
            kind: kind, truth: truth, reason: reason, message: message, since: since,
            observedGeneration: generation)
    }
}
