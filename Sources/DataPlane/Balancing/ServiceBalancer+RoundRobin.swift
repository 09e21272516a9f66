// Smooth weighted round robin (nginx, 2012): each turn every candidate gains its weight, the
// richest is taken and pays what all gained. Weights 5, 1, 1 give a a b a c a a, not a a a a a b c.

/// What an endpoint has gained and not yet paid, on this loop.
struct RoundRobinPosition {
    var credit: Double

    /// Starts with random credits below one weight, so that loops do not all begin with the first.
    static func rows(
        _ revisions: SharedRecords<RevisionRow>, _ random: inout RandomSource
    ) -> SharedMemory<RoundRobinPosition> {
        var credits: [Double] = []
        for index in 0..<revisions.count {
            let row = revisions[index]
            for endpoint in 0..<row.count {
                credits.append(random.unit() * row.endpoints[endpoint].weight)
            }
        }
        return SharedMemory(count: max(1, credits.count)) { index in
            RoundRobinPosition(credit: index < credits.count ? credits[index] : 0)
        }
    }
}

extension ServiceBalancer {
    mutating func inTurn(_ row: RevisionRow, _ candidates: Candidates) -> Found {
        let offset = row.firstPosition
        var best = -1
        var most = -Double.infinity
        var gained = 0.0
        var sawFull = false
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            switch candidates.standing(of: endpoint, at: index) {
            case .excluded: continue
            case .full: sawFull = true
            case .open:
                let weight = endpoint.weight * ramp(endpoint, candidates.now)
                gained += weight
                let credit = positions[offset + index].credit + weight
                positions[offset + index].credit = credit
                if credit > most {
                    most = credit
                    best = index
                }
            }
        }
        guard best >= 0 else { return sawFull ? .full : .nothing }
        positions[offset + best].credit = positions[offset + best].credit - gained
        return .endpoint(best)
    }

    /// Share of its weight an endpoint gets while it starts slowly.
    func ramp(_ endpoint: EndpointRow, _ now: Int64) -> Double {
        slowStart == 0 ? 1 : endpoint.handle.ramp(over: slowStart, now: now)
    }
}
