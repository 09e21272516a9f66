// The algorithms that keep a client on one endpoint: by its address (ip_hash) or by a header.

extension ServiceBalancer {
    /// The client's first choice among the candidates. A full endpoint's client goes to its next
    /// choice, as if it were gone.
    func hashed(_ row: RevisionRow, _ key: UInt64, _ candidates: Candidates) -> Found {
        var best = -1
        var least = Double.infinity
        var sawFull = false
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            switch candidates.standing(of: endpoint, at: index) {
            case .excluded: continue
            case .full: sawFull = true
            case .open:
                let cost = cost(of: endpoint, for: key, candidates.now)
                if cost < least {
                    least = cost
                    best = index
                }
            }
        }
        return best >= 0 ? .endpoint(best) : sawFull ? .full : .nothing
    }

    /// As `hashed`, but a key that had to leave its endpoint stays where it went.
    mutating func affine(_ row: RevisionRow, _ key: UInt64, _ candidates: Candidates) -> Found {
        let place = DisplacedKeys.place(of: key, in: row.displaced.count)
        let entry = row.displaced[place].value
        if entry != 0, let index = residence(of: key, entry, row, candidates) {
            return .endpoint(index)
        }
        let found = hashed(row, key, candidates)
        guard case .endpoint(let index) = found else { return found }
        if hasLost(key, index, row, candidates) {
            movedSession = true
            row.displaced[place].value = DisplacedKeys.entry(
                key: key, tag: row.endpoints[index].tag)
        }
        return found
    }

    private func residence(
        of key: UInt64, _ entry: Int64, _ row: RevisionRow, _ candidates: Candidates
    ) -> Int? {
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            guard DisplacedKeys.entry(key: key, tag: endpoint.tag) == entry else { continue }
            return candidates.standing(of: endpoint, at: index) == .open ? index : nil
        }
        return nil
    }

    /// The key's own endpoint is better placed than the one found, but drained or unusable: not
    /// merely full or tried.
    private func hasLost(
        _ key: UInt64, _ found: Int, _ row: RevisionRow, _ candidates: Candidates
    ) -> Bool {
        let reached = cost(of: row.endpoints[found], for: key, candidates.now)
        for index in 0..<row.count where index != found {
            let endpoint = row.endpoints[index]
            let isGone = endpoint.isDrained || !endpoint.handle.isUsable(now: candidates.now)
            if isGone && cost(of: endpoint, for: key, candidates.now) < reached { return true }
        }
        return false
    }

    private func cost(of endpoint: EndpointRow, for key: UInt64, _ now: Int64) -> Double {
        // Slow start makes an endpoint dear, so that clients come back to it bit by bit.
        let share = ramp(endpoint, now)
        return Rendezvous.cost(hash: mixed(key ^ endpoint.tag)) * endpoint.inverseShare / share
    }
}
