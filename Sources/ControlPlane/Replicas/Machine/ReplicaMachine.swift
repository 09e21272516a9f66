// A replica's life as a machine without I/O: events go in, effects come out.
//
//   reserved → spawning → loading → warming → ready ⇄ ejected
//      ↑ back-off   ↓         ↓        ↓        ↓        ↓
//      └───────── failed ←────┴────────┘    draining → stopping → exited

package enum ReplicaState: String, Sendable, CaseIterable, Codable {
    case reserved, spawning, loading, warming, ready, ejected, draining, stopping, exited, failed

    /// Nothing leads back from these.
    package var isEnding: Bool { self == .draining || self == .stopping || self == .exited }
}

package struct ReplicaMachine: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    package private(set) var state = ReplicaState.reserved
    /// Taken over from an earlier Penstock, and not yet seen to be ready by this one.
    package private(set) var isAdopting = false
    /// What the state waits for; empty when it is settled.
    package private(set) var waitingFor = "its turn to start"
    /// Why the last attempt ended; empty before one has.
    package private(set) var reason = ""
    /// When the wait is over; a `tick` is due then.
    package private(set) var deadline: Instant?
    package private(set) var restarts = 0

    let deadlines: ReplicaDeadlines
    private var policy = RestartPolicy()
    private var jitter: SeededJitter
    /// What this run is ended for, before its end is seen.
    private var fault: String?
    private var grace: Duration = .seconds(10)

    /// The seed is of the jitter: equal seeds pause equally long.
    package init(deadlines: ReplicaDeadlines = ReplicaDeadlines(), seed: UInt64) {
        self.deadlines = deadlines
        jitter = SeededJitter(state: seed)
    }

    package var isEnding: Bool { state.isEnding }
    package var isCrashLooping: Bool { policy.isCrashLooping }

    package mutating func receive(_ event: ReplicaEvent, at now: Instant) -> [ReplicaEffect] {
        switch event {
        case .start: start(now)
        case .adopt: adopt(now)
        case .spawned: spawned(now)
        case .spawnFailed(let reason): spawnFailed(reason, now)
        case .loaded: loaded(now)
        case .warmed: warmed(now)
        case .warmingFailed(let reason): state == .warming ? giveUp(reason, now) : []
        case .ejected(let reason): ejected(reason)
        case .restored: restored()
        case .drain(let until, let grace): drain(until, grace, now)
        case .drained: state == .draining ? stop(grace, now) : []
        case .stop(let grace): stop(grace, now)
        case .exited(let cause): exited(cause, now)
        case .tick: tick(now)
        }
    }

    private mutating func go(_ next: ReplicaState, _ waitingFor: String, until deadline: Instant?) {
        state = next
        self.waitingFor = waitingFor
        self.deadline = deadline
    }

    private var hasProcess: Bool {
        switch state {
        case .reserved, .failed, .exited: false
        default: true
        }
    }

    private var isServing: Bool { state == .ready || state == .ejected }
}

// Towards ready.
extension ReplicaMachine {
    private mutating func start(_ now: Instant) -> [ReplicaEffect] {
        guard state == .reserved || state == .failed else { return [] }
        policy.started(at: now)
        fault = nil
        go(.spawning, "the process", until: now + deadlines.spawning)
        return [.spawn]
    }

    private mutating func adopt(_ now: Instant) -> [ReplicaEffect] {
        guard state == .reserved else { return [] }
        isAdopting = true
        load(now)
        return [.probe]
    }

    private mutating func spawned(_ now: Instant) -> [ReplicaEffect] {
        // Told to stop while it was started: the order had nobody to go to yet.
        if state == .stopping { return [.stop(grace: grace)] }
        guard state == .spawning else { return [] }
        load(now)
        return [.probe]
    }

    private mutating func load(_ now: Instant) {
        go(.loading, "the model to answer its health check", until: now + deadlines.loading)
    }

    private mutating func loaded(_ now: Instant) -> [ReplicaEffect] {
        guard state == .loading, fault == nil else { return [] }
        // It has proved itself to the Penstock before, and its clients wait.
        if isAdopting { return ready(now) }
        go(.warming, "its smoke requests to be answered", until: now + deadlines.warming)
        return [.warm]
    }

    private mutating func warmed(_ now: Instant) -> [ReplicaEffect] {
        guard state == .warming, fault == nil else { return [] }
        return ready(now)
    }

    private mutating func ready(_ now: Instant) -> [ReplicaEffect] {
        policy.becameReady(at: now)
        isAdopting = false
        go(.ready, "", until: nil)
        return [.admit]
    }

    private mutating func ejected(_ reason: String) -> [ReplicaEffect] {
        guard state == .ready else { return [] }
        go(.ejected, "it to answer again: \(reason)", until: nil)
        return []
    }

    private mutating func restored() -> [ReplicaEffect] {
        guard state == .ejected else { return [] }
        go(.ready, "", until: nil)
        return []
    }
}

// Towards the end, or the next start.
extension ReplicaMachine {
    private mutating func spawnFailed(_ reason: String, _ now: Instant) -> [ReplicaEffect] {
        if state == .stopping { return ended() }
        guard state == .spawning else { return [] }
        return failed(reason, now)
    }

    private mutating func exited(_ cause: String, _ now: Instant) -> [ReplicaEffect] {
        guard hasProcess else { return [] }
        if isEnding { return ended() }
        let wasServing = isServing
        let reason = fault.map { "\($0); \(cause)" } ?? cause
        return (wasServing ? [.withdraw] : []) + failed(reason, now)
    }

    private mutating func ended() -> [ReplicaEffect] {
        let wasDraining = state == .draining
        go(.exited, "", until: nil)
        return wasDraining ? [.withdraw] : []
    }

    /// Back-off: the next start is due at the deadline.
    private mutating func failed(_ reason: String, _ now: Instant) -> [ReplicaEffect] {
        let wasLooping = isCrashLooping
        let pause = policy.ended(at: now, chance: jitter.next())
        isAdopting = false
        fault = nil
        self.reason = isCrashLooping ? "crash loop: \(reason)" : reason
        let seconds = (pause / .milliseconds(100)).rounded() / 10
        go(.failed, "the next start, in \(seconds) s", until: now + pause)
        return isCrashLooping && !wasLooping ? [.crashLoop] : []
    }

    /// A run that is of no use is ended; its end leads to the next start.
    private mutating func giveUp(_ reason: String, _ now: Instant) -> [ReplicaEffect] {
        fault = fault ?? reason
        go(state, "the process to end: \(fault ?? reason)", until: now + deadlines.ending)
        return [.kill]
    }

    private mutating func drain(
        _ until: Instant, _ grace: Duration, _ now: Instant
    ) -> [ReplicaEffect] {
        self.grace = grace
        guard isServing else { return isEnding ? [] : stop(grace, now) }
        go(.draining, "requests under way", until: until)
        return [.withdraw]
    }

    private mutating func stop(_ grace: Duration, _ now: Instant) -> [ReplicaEffect] {
        guard hasProcess else {
            go(.exited, "", until: nil)
            return []
        }
        self.grace = state == .stopping ? min(self.grace, grace) : grace
        let wasServing = isServing
        go(.stopping, "the process to end", until: now + grace + deadlines.ending)
        return (wasServing ? [.withdraw] : []) + [grace > .zero ? .stop(grace: grace) : .kill]
    }

    private mutating func tick(_ now: Instant) -> [ReplicaEffect] {
        guard let deadline, now >= deadline else { return [] }
        switch state {
        case .failed:
            restarts += 1
            return start(now)
        case .spawning: return giveUp("no process after \(deadlines.spawning)", now)
        case .loading: return giveUp("not ready after \(deadlines.loading)", now)
        case .warming: return giveUp("not warm after \(deadlines.warming)", now)
        case .draining: return stop(grace, now)
        case .stopping:
            self.deadline = now + deadlines.ending
            return [.kill]
        case .reserved, .ready, .ejected, .exited: return []
        }
    }
}

/// SplitMix64: small, and equal on every machine.
private struct SeededJitter: Sendable, Equatable {
    var state: UInt64

    /// From 0 up to 1.
    mutating func next() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
    }
}
