// Everything a status is made of, as stored or observed: nothing is fetched, so the same facts give
// the same status in tests, after a restart, and in simulated time.

package import Foundation

/// What users want of a deployment.
package enum Desire: String, Sendable, CaseIterable, Codable {
    case running, stopped, deleted
}

/// One replica as the status sees it.
package struct ReplicaStanding: Sendable, Equatable {
    package var id: String
    package var phase: ReplicaPhase
    /// Whether the data plane can reach it: not failing its checks, not ejected.
    package var isReachable: Bool
    /// Somebody keeps it out of the rotation.
    package var isHeld: Bool
    /// Why it is ejected or why it failed, in words.
    package var trouble: String
    /// Five starts in ten minutes came to nothing.
    package var isBudgetSpent: Bool

    package init(
        id: String, phase: ReplicaPhase, isReachable: Bool = true, isHeld: Bool = false,
        trouble: String = "", isBudgetSpent: Bool = false
    ) {
        self.id = id
        self.phase = phase
        self.isReachable = isReachable
        self.isHeld = isHeld
        self.trouble = trouble
        self.isBudgetSpent = isBudgetSpent
    }
}

/// An answer to one yes-or-no question with its reason; nil in the facts means nobody asked.
package struct Verdict: Sendable, Equatable, Codable {
    package var isGood: Bool
    package var reason: String
    package var message: String

    package init(_ isGood: Bool, _ reason: String, _ message: String = "") {
        self.isGood = isGood
        self.reason = reason
        self.message = message
    }
}

package struct StatusFacts: Sendable {
    package var desire = Desire.running
    package var generation = 1
    /// How many replicas shall run now, and who said so.
    package var target = 1
    package var targetReason = Verdict(true, "MinReplicas")
    package var minReplicas = 1
    /// Ready replicas that count as available; at least one always.
    package var minAvailable = 1
    package var replicas: [ReplicaStanding] = []
    /// Since when no replica has been reachable; nil while one is, or before any ever was.
    package var unreachableSince: Date?
    package var failAfter: TimeInterval = 60
    /// The last start of a replica ended in failure.
    package var lastStartFailed = false
    /// Every worker has the plan that names the ready replicas.
    package var isRoutingSynced = true
    package var degradation = Degradation()
    /// What is under way: an edit, a restart, a change of number; nil when nothing is.
    package var progress: Verdict?
    package var capacity: Verdict?
    package var artifact: Verdict?
    package var isMonitored = true
    package var drift: Verdict?
    /// Changes cannot be stored; the reason.
    package var readOnlyBecause: String?
    package var now: Date

    package init(now: Date) {
        self.now = now
    }

    /// Spawned and not on its way out.
    private static let alive: Set<ReplicaPhase> = [.spawning, .loading, .warming, .ready]

    var reachable: [ReplicaStanding] {
        replicas.filter { $0.phase == .ready && $0.isReachable && !$0.isHeld }
    }
    var held: [ReplicaStanding] { replicas.filter { $0.phase == .ready && $0.isHeld } }
    var ejected: [ReplicaStanding] { replicas.filter { $0.phase == .ready && !$0.isReachable } }
    var failed: [ReplicaStanding] { replicas.filter { $0.phase == .failed } }
    var pastSpawn: [ReplicaStanding] {
        replicas.filter { $0.phase == .loading || $0.phase == .warming || $0.phase == .ready }
    }
    /// A process exists or may exist.
    var living: [ReplicaStanding] { replicas.filter { $0.phase != .exited } }

    var counts: ReplicaCounts {
        var counts = ReplicaCounts()
        counts.desired = desire == .running ? target : 0
        counts.ready = reachable.count
        counts.starting = replicas.count {
            [.reserved, .spawning, .loading, .warming].contains($0.phase)
        }
        counts.failed = failed.count + ejected.count
        counts.draining =
            replicas.count { $0.phase == .draining || $0.phase == .stopping } + held.count
        return counts
    }

    /// Starting over and over without success.
    var isBudgetSpent: Bool {
        !replicas.isEmpty && replicas.contains(where: \.isBudgetSpent)
            && replicas.allSatisfy { $0.isBudgetSpent || $0.phase.isLeaving }
    }

    var isUnreachableTooLong: Bool {
        unreachableSince.map { now.timeIntervalSince($0) > failAfter } ?? false
    }
}
