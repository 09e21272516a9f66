// Which endpoints may be chosen now. The stages go from best to last resort; the algorithms differ
// only in which candidate of a stage they take.

/// How far down we had to go to find an endpoint.
enum Stage: UInt8 {
    /// Usable and not tried by this request.
    case fresh
    /// Usable, though tried: nothing else is.
    case usable
    /// Nothing is usable: any not drained and not tried.
    case panic
    /// The same, tried or not.
    case desperate
}

enum Standing {
    case excluded, full, open
}

/// The rule by which one scan admits endpoints.
struct Candidates {
    let stage: Stage
    let tried: UInt64
    let now: Int64
    let slots: SlotRule

    func standing(of row: EndpointRow, at index: Int) -> Standing {
        if row.isDrained { return .excluded }
        switch stage {
        case .fresh:
            if isTried(index) || !row.handle.isUsable(now: now) { return .excluded }
        case .usable:
            if !row.handle.isUsable(now: now) { return .excluded }
        case .panic:
            if isTried(index) { return .excluded }
        case .desperate: break
        }
        if row.concurrency == .max { return .open }
        return row.handle.inFlight < slots.limit(of: row) ? .open : .full
    }

    private func isTried(_ index: Int) -> Bool {
        index < Limits.triedEndpoints && tried >> UInt64(index) & 1 == 1
    }
}

/// How many requests an endpoint of known concurrency may have.
struct SlotRule {
    /// Beyond its concurrency, as a share of it; infinite when there is no late binding.
    let surplus: Double

    static let strict = SlotRule(surplus: 0)

    func limit(of row: EndpointRow) -> Int {
        if row.concurrency == .max || surplus == .infinity { return .max }
        if surplus == 0 { return row.concurrency }
        return row.concurrency + Int((Double(row.concurrency) * surplus).rounded(.up))
    }

    /// Late binding loses capacity when a slot stays empty for a round trip: with long queues it
    /// allows a little more than the slots, and beyond a tenth of the service time it is off.
    init(revision: RevisionRow) {
        let roundTrip = revision.state.records.it.roundTrip.value
        let service = revision.state.curve.meanLatency
        guard roundTrip > 0, service > 0 else {
            surplus = 0
            return
        }
        let ratio = roundTrip / service
        if ratio > 0.1 {
            surplus = .infinity
        } else if Double(revision.state.board.waiting) > 0.25 * revision.slots {
            surplus = 1.5 * ratio
        } else {
            surplus = 0
        }
    }

    private init(surplus: Double) { self.surplus = surplus }
}
