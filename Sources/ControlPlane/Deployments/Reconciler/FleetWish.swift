// What the replicas of a deployment shall be, and the rules for getting there.

package import Foundation

package struct FleetWish: Sendable, Equatable {
    package var deployment: String
    package var desire = Desire.running
    /// Of which revision.
    package var revision = 1
    /// Of which restart; older ones are replaced.
    package var epoch = 0
    package var count = 1
    package var rules = FleetRules()

    package init(deployment: String) {
        self.deployment = deployment
    }

    package var isRunning: Bool { desire == .running }

    func isCurrent(_ row: ReplicaRow) -> Bool { row.revision == revision && row.epoch == epoch }
}

package struct FleetRules: Sendable, Equatable {
    /// Replicas beyond the number wanted while some are replaced; at least one unless
    /// `maxUnavailable` is.
    package var maxSurge = 1
    /// Replicas that may be missing while some are replaced.
    package var maxUnavailable = 0
    /// How long a new replica must have been ready before an old one may go.
    package var minHealthy: TimeInterval = 0
    package var spawnLimit: TimeInterval = 30
    package var startLimit: TimeInterval = 600
    package var proofLimit: TimeInterval = 60
    package var drainLimit: TimeInterval = 30
    package var graceLimit: TimeInterval = 10
    /// A replica that has not been reachable for so long is started anew.
    package var unreachableLimit: TimeInterval = 120
    /// GPUs each replica needs.
    package var gpus = 0
    package var gpuType: String?

    package init() {}
}
