// How a deployment is, for people and programs: one word with its reason, and the conditions it
// sums up. A value; `StatusFacts.status` makes it and nothing else does.

package import Foundation

/// The API's word; ranked, the first rule that holds gives it.
package enum StatusWord: String, Sendable, CaseIterable, Codable {
    case provisioning, starting, healthy, degraded, failed, stopping, stopped, deleting

    package var activity: ActivityWord {
        switch self {
        case .provisioning, .starting: .deploying
        case .healthy, .degraded: .deployed
        case .stopping, .deleting: .stopping
        case .failed, .stopped: .inactive
        }
    }
}

/// What a list filters by: active is everything but `inactive`.
package enum ActivityWord: String, Sendable, CaseIterable, Codable {
    case deploying = "Deploying"
    case deployed = "Deployed"
    case stopping = "Stopping"
    case inactive = "Inactive"
}

package struct ReplicaCounts: Sendable, Equatable, Codable {
    package var desired = 0
    /// In the rotation and reachable.
    package var ready = 0
    package var starting = 0
    package var failed = 0
    /// Leaving: draining or stopping.
    package var draining = 0

    package init() {}
}

package struct DeploymentStatus: Sendable, Equatable, Codable {
    package var word: StatusWord
    /// CamelCase, stable.
    package var reason: String
    /// Why, in words.
    package var message: String
    package var observedGeneration: Int
    /// When the word last changed.
    package var since: Date
    package var replicas: ReplicaCounts
    package var conditions: [DeploymentCondition]

    package var activity: ActivityWord { word.activity }

    package func condition(_ kind: DeploymentCondition.Kind) -> DeploymentCondition? {
        conditions.first { $0.kind == kind }
    }
}
