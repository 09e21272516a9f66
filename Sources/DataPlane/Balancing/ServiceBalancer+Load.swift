// The algorithms that compare loads: the least of all, or the less of two. Counts are shared by all
// loops and exact: with sixteen private views the tail is three times as long.

import Traffic

extension ServiceBalancer {
    /// The least (n + 1)/weight of all candidates, at random among equals.
    mutating func leastLoaded(_ row: RevisionRow, _ candidates: Candidates) -> Found {
        var contest = Contest()
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            switch candidates.standing(of: endpoint, at: index) {
            case .excluded: continue
            case .full: contest.sawFull = true
            case .open:
                contest.enter(index, cost: load(endpoint, candidates.now), &random)
            }
        }
        return contest.found
    }

    /// The better of two random candidates (Mitzenmacher 2001).
    mutating func betterOfTwo(_ row: RevisionRow, _ candidates: Candidates) -> Found {
        let first = randomCandidate(row, candidates, except: -1)
        guard case .endpoint(let one) = first else { return first }
        guard case .endpoint(let two) = randomCandidate(row, candidates, except: one) else {
            return first
        }
        let isBetter = cost(row, two, candidates.now) < cost(row, one, candidates.now)
        return .endpoint(isBetter ? two : one)
    }

    private func cost(_ row: RevisionRow, _ index: Int, _ now: Int64) -> Double {
        algorithm == .leastLatency
            ? expectedLatency(row.endpoints[index], row.state.curve, now)
            : load(row.endpoints[index], now)
    }

    private func load(_ endpoint: EndpointRow, _ now: Int64) -> Double {
        Double(endpoint.handle.inFlight + 1) * endpoint.inverseShare / ramp(endpoint, now)
    }

    /// A candidate at random: a few draws, then a scan from a random place.
    private mutating func randomCandidate(
        _ row: RevisionRow, _ candidates: Candidates, except: Int
    ) -> Found {
        guard row.count > 0 else { return .nothing }
        for _ in 0..<4 {
            let index = random.below(row.count)
            if index != except,
                candidates.standing(of: row.endpoints[index], at: index) == .open
            {
                return .endpoint(index)
            }
        }
        return drawn(row, candidates, except: except)
    }

    @inline(never)
    private mutating func drawn(
        _ row: RevisionRow, _ candidates: Candidates, except: Int
    ) -> Found {
        var contest = Contest()
        for index in 0..<row.count where index != except {
            switch candidates.standing(of: row.endpoints[index], at: index) {
            case .excluded: continue
            case .full: contest.sawFull = true
            case .open: contest.enter(index, cost: 0, &random)
            }
        }
        return contest.found
    }
}

/// Keeps the cheapest entrant, each of several equal ones with the same probability.
struct Contest {
    var sawFull = false
    private var best = -1
    private var least = Double.infinity
    private var equals = 0

    mutating func enter(_ index: Int, cost: Double, _ random: inout RandomSource) {
        if cost < least {
            least = cost
            best = index
            equals = 1
        } else if cost == least {
            equals += 1
            if random.below(equals) == 0 { best = index }
        }
    }

    var found: Found { best >= 0 ? .endpoint(best) : sawFull ? .full : .nothing }
}
