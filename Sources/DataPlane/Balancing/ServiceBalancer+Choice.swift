// The choice of an endpoint: session first, then the algorithm over the best stage that has a
// candidate, then the reservation of its slot.

import Traffic

/// What one scan found: an endpoint, or why there is none.
enum Found {
    case endpoint(Int)
    case full
    case nothing
}

extension ServiceBalancer {
    /// Picks an endpoint of a revision and counts the request in on it.
    package mutating func choose(revision: Int, request: ChoiceRequest, now: Int64) -> Choice {
        chosenDepth = 0
        isPanicking = false
        movedSession = false
        let row = revisions[revision]
        let slots = row.slots > 0 ? SlotRule(revision: row) : .strict
        if request.stickyEndpoint >= 0, request.stickyEndpoint < row.count {
            let endpoint = row.endpoints[Int(request.stickyEndpoint)]
            let candidates = Candidates(
                stage: .fresh, tried: request.tried, now: now, slots: slots)
            switch candidates.standing(of: endpoint, at: Int(request.stickyEndpoint)) {
            case .open: if reserve(endpoint, slots) { return .endpoint(request.stickyEndpoint) }
            // A full endpoint lends this one request to another and keeps the session.
            case .full: break
            case .excluded: movedSession = true
            }
        }
        if row.slots > 0, !request.isHeld, row.state.board.waiting > 0,
            !hasSlotsToSpare(row, slots, now)
        {
            return .hold
        }
        for _ in 0..<Limits.reservationAttempts {
            let found = search(row, request, slots, now)
            guard case .endpoint(let index) = found else {
                if case .full = found { return isPanicking ? .none : .hold }
                return .none
            }
            if reserve(row.endpoints[index], slots) { return .endpoint(Int32(index)) }
        }
        return .hold
    }

    /// Goes through the stages until one has candidates, be they full.
    private mutating func search(
        _ row: RevisionRow, _ request: ChoiceRequest, _ slots: SlotRule,
        _ now: Int64
    ) -> Found {
        var stage = Stage.fresh
        while true {
            let candidates = Candidates(stage: stage, tried: request.tried, now: now, slots: slots)
            let found = pick(row, request, candidates)
            if case .nothing = found {
            } else {
                isPanicking = stage == .panic || stage == .desperate
                return found
            }
            guard let next = nextStage(after: stage, tried: request.tried) else { return .nothing }
            stage = next
        }
    }

    private func nextStage(after stage: Stage, tried: UInt64) -> Stage? {
        switch stage {
        case .fresh: tried == 0 ? .panic : .usable
        case .usable: .panic
        case .panic: tried == 0 ? nil : .desperate
        case .desperate: nil
        }
    }

    private mutating func pick(
        _ row: RevisionRow, _ request: ChoiceRequest, _ candidates: Candidates
    ) -> Found {
        if request.hasStickyHash { return affine(row, request.stickyHash, candidates) }
        switch algorithm {
        case .roundRobin: return inTurn(row, candidates)
        case .ipHash: return hashed(row, request.clientHash, candidates)
        case .leastConnections where row.count <= Limits.scannedEndpoints:
            return leastLoaded(row, candidates)
        case .leastLatency where row.count <= Limits.scannedEndpoints:
            return leastLatent(row, candidates)
        case .leastConnections, .leastLatency, .randomTwoChoices:
            return betterOfTwo(row, candidates)
        }
    }

    private mutating func reserve(_ endpoint: EndpointRow, _ slots: SlotRule) -> Bool {
        let depth = endpoint.handle.begin(limit: slots.limit(of: endpoint))
        chosenDepth = Int32(truncatingIfNeeded: depth)
        return depth > 0
    }

    /// More slots are free than requests are held, each of which has been promised one.
    private func hasSlotsToSpare(_ row: RevisionRow, _ slots: SlotRule, _ now: Int64) -> Bool {
        var free = 0
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            if endpoint.isDrained || !endpoint.handle.isUsable(now: now) { continue }
            let limit = slots.limit(of: endpoint)
            if limit == .max { return true }
            free += max(0, limit - endpoint.handle.inFlight)
        }
        return free > row.state.board.waiting
    }
}
