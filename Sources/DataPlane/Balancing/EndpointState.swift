// What all loops know about one endpoint: its load, its health and how it has answered. One per
// service, revision and address; it outlives plans, so a reload forgets nothing.

import Synchronization
package import Traffic

/// Owns an endpoint's shared record.
package final class EndpointState: Sendable {
    private let memory: SharedMemory<EndpointRecord>
    package let handle: EndpointHandle

    package init() {
        memory = SharedMemory(count: 1) { _ in EndpointRecord() }
        handle = EndpointHandle(records: memory.records)
    }
}

/// The shared record, grouped by who writes it, each group on cache lines of its own.
struct EndpointRecord: ~Copyable {
    // Every request, twice.
    let inFlight = Atomic<Int>(0)
    private let padding0 = LinePadding()

    // Read by every choice, written seldom.
    /// `EndpointHealth`'s position; see `EndpointHandle.health`.
    let health = Atomic<UInt8>(0)
    let lastError = Atomic<UInt8>(0)
    /// Ejected until then; in the past when it is not.
    let ejectedUntil = SharedInteger(.min)
    /// Start of the slow-start ramp; `.min` until a table adopts the state.
    let usableSince = SharedInteger(.min)
    /// Latency factor times error penalty, recomputed with each sample or when it expires.
    let factor = SharedNumber(1)
    let factorExpires = SharedInteger(.max)
    private let padding1 = LinePadding()

    // Written by each finished request.
    let consecutiveFailures = SharedInteger(0)
    let gate = SampleGate()
    let latency = LatencyMemory()
    let window = OutlierWindow()
    let ejections = SharedInteger(0)
    /// When an ejection was last made or forgiven.
    let reviewed = SharedInteger(.min)
    private let padding2 = LinePadding()
}

/// A trivial pointer to an endpoint's shared record. Every function is lock-free.
package struct EndpointHandle: Sendable {
    let records: SharedRecords<EndpointRecord>

    fileprivate init(records: SharedRecords<EndpointRecord>) { self.records = records }

    /// Requests sent and not finished, over all loops.
    package var inFlight: Int { records.it.inFlight.load(ordering: .relaxed) }

    /// Counts a request in and returns the count with it.
    @discardableResult
    package func begin() -> Int {
        records.it.inFlight.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Counts a request in unless `limit` are in already; 0 when they are.
    package func begin(limit: Int) -> Int {
        if limit == .max { return begin() }
        var current = inFlight
        while current < limit {
            let (exchanged, seen) = records.it.inFlight.weakCompareExchange(
                expected: current, desired: current + 1, ordering: .relaxed)
            if exchanged { return current + 1 }
            current = seen
        }
        return 0
    }

    /// Counts a request out: exactly once for each that was counted in.
    package func end() {
        let left = records.it.inFlight.wrappingSubtract(1, ordering: .relaxed).newValue
        precondition(left >= 0, "a request is counted out once, after it was counted in")
    }
}

// MARK: - Health

extension EndpointHandle {
    package var health: EndpointHealth {
        switch records.it.health.load(ordering: .relaxed) {
        case 1: .up
        case 2: .down
        default: .unknown
        }
    }

    /// Records a check's verdict; coming back from `down` begins the slow start.
    package func setHealth(_ health: EndpointHealth, now: Int64) {
        let code: UInt8 =
            switch health {
            case .unknown: 0
            case .up: 1
            case .down: 2
            }
        let before = records.it.health.exchange(code, ordering: .relaxed)
        if before == 2 && code != 2 { records.it.usableSince.value = now }
    }

    /// Why the last check or try failed, as a number whose meaning is the caller's; 0 is good.
    package var lastError: UInt8 {
        get { records.it.lastError.load(ordering: .relaxed) }
        nonmutating set { records.it.lastError.store(newValue, ordering: .relaxed) }
    }

    /// Neither found down by a check nor ejected for bad answers.
    package func isUsable(now: Int64) -> Bool {
        records.it.health.load(ordering: .relaxed) != 2
            && records.it.ejectedUntil.value <= now
    }

    package func isEjected(now: Int64) -> Bool { records.it.ejectedUntil.value > now }

    /// Times ejected lately; the next ejection lasts so much longer.
    package var ejections: Int { Int(records.it.ejections.value) }

    /// Share of its weight an endpoint gets: 10 % when it becomes usable, all of it after `ramp`.
    func ramp(over ramp: Int64, now: Int64) -> Double {
        let since = max(records.it.usableSince.value, records.it.ejectedUntil.value)
        // `.min` would overflow the subtraction: not adopted yet counts as long usable.
        guard ramp > 0, since > .min / 2, now - since < ramp else { return 1 }
        return max(0.1, Double(now - since) / Double(ramp))
    }

    /// Called by each table that takes the state over; only the first call sets the time.
    func adopt(now: Int64) {
        _ = records.it.usableSince.replace(.min, by: now)
    }
}
