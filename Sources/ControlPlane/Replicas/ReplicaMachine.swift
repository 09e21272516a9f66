// A replica's life as a machine without I/O: what happened goes in, the state and the pause before
// the next start come out. Draining and stopping are final: nothing leads back from them.

package enum ReplicaState: String, Sendable, CaseIterable {
    case reserved, spawning, loading, ready, failed, draining, stopping, exited
}

package struct ReplicaMachine: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    package private(set) var state = ReplicaState.reserved
    /// What the state waits for; empty when it is settled.
    package private(set) var waitingFor = "its turn to start"
    /// Why the last attempt ended; empty before one has.
    package private(set) var reason = ""
    package private(set) var restarts = 0
    private var policy = RestartPolicy()

    package init() {}

    package var isEnding: Bool { state == .draining || state == .stopping || state == .exited }
    package var isCrashLooping: Bool { policy.isCrashLooping }

    package mutating func spawning(at now: Instant) {
        guard !isEnding else { return }
        policy.started(at: now)
        (state, waitingFor) = (.spawning, "the process")
    }

    package mutating func spawned() {
        guard state == .spawning else { return }
        (state, waitingFor) = (.loading, "the model to answer its health check")
    }

    package mutating func proved(at now: Instant) {
        guard state == .loading else { return }
        policy.becameReady(at: now)
        (state, waitingFor) = (.ready, "")
    }

    /// The process ended or could not be started. The pause is of no use to one that is ending.
    package mutating func ended(
        _ reason: String, at now: Instant, chance: Double
    ) -> Duration {
        guard !isEnding else { return .zero }
        let pause = policy.ended(at: now, chance: chance)
        restarts += 1
        self.reason = isCrashLooping ? "crash loop: \(reason)" : reason
        (state, waitingFor) = (.failed, "the next start, in \(pause)")
        return pause
    }

    package mutating func draining() {
        guard state != .stopping, state != .exited else { return }
        (state, waitingFor) = (.draining, "requests under way")
    }

    package mutating func stopping() {
        guard state != .exited else { return }
        (state, waitingFor) = (.stopping, "the process to end")
    }

    package mutating func exited() {
        (state, waitingFor) = (.exited, "")
    }
}
