// What can happen to a replica, and what its owner then has to do. Values only: the machine between
// them performs nothing, the owner decides nothing.

package enum ReplicaEvent: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    /// Its place and its share of the machine are granted.
    case start
    /// Instead of a start: a live replica of an earlier Penstock has been taken over.
    case adopt
    case spawned
    case spawnFailed(String)
    /// It has answered its health check often enough.
    case loaded
    /// The smoke requests are answered well; at once where there are none.
    case warmed
    case warmingFailed(String)
    /// The data plane took it out, or back.
    case ejected(String)
    case restored
    /// No new requests; what is under way may take until then, and SIGTERM has the grace after.
    case drain(until: Instant, grace: Duration = .seconds(10))
    /// Out of every loop's plan, and no request under way.
    case drained
    /// From any state, without waiting for requests.
    case stop(grace: Duration)
    case exited(String)
    /// Time has passed; due at the machine's deadline at the latest.
    case tick
}

package enum ReplicaEffect: Sendable, Equatable {
    /// Start a run; answered by `spawned` or `spawnFailed`.
    case spawn
    /// Ask for readiness until it is `loaded`.
    case probe
    /// Send smoke requests; answered by `warmed` or `warmingFailed`.
    case warm
    /// Into the plan.
    case admit
    /// Out of the plan; when draining, answered by `drained`.
    case withdraw
    case stop(grace: Duration)
    case kill
    /// The start budget is spent. Said once; trying goes on at the longest pause.
    case crashLoop
}

/// How long each state may take that waits for something.
package struct ReplicaDeadlines: Sendable, Equatable {
    package var spawning: Duration
    package var loading: Duration
    package var warming: Duration
    /// After the grace, for the kernel and the shim.
    package var ending: Duration

    package init(
        spawning: Duration = Limits.spawning, loading: Duration = Limits.loading,
        warming: Duration = Limits.warming, ending: Duration = Limits.endingPatience
    ) {
        self.spawning = spawning
        self.loading = loading
        self.warming = warming
        self.ending = ending
    }
}
