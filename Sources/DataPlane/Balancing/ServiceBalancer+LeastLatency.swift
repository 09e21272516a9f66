// least_latency (LEL): the endpoint on which the request is expected to end first, from the exact
// depth, the fleet's latency at that depth, and how the endpoint differs from the fleet.

extension ServiceBalancer {
    mutating func leastLatent(_ row: RevisionRow, _ candidates: Candidates) -> Found {
        var contest = Contest()
        var bestFactor = Double.infinity
        var goodSlots = 0
        for index in 0..<row.count {
            let endpoint = row.endpoints[index]
            let standing = candidates.standing(of: endpoint, at: index)
            if case .excluded = standing { continue }
            let factor = factor(of: endpoint, row.state.curve, candidates.now)
            if row.slots > 0, factor <= Self.poorFactor, endpoint.concurrency != .max {
                goodSlots += endpoint.concurrency
            }
            guard case .open = standing else {
                contest.sawFull = true
                continue
            }
            bestFactor = min(bestFactor, factor)
            let cost = factor * latency(endpoint, row.state.curve, candidates.now)
            contest.enter(index, cost: cost, &random)
        }
        if contest.sawFull, bestFactor > Self.poorFactor, goodSlots > 0 {
            // Only poor endpoints are free: better to wait if the queue moves faster than they do.
            let queue = Double(row.state.board.waiting + 1)
            if queue / Double(goodSlots) + 1 < bestFactor { return .full }
        }
        return contest.found
    }

    func expectedLatency(_ endpoint: EndpointRow, _ curve: LatencyCurve, _ now: Int64) -> Double {
        factor(of: endpoint, curve, now) * latency(endpoint, curve, now)
    }

    /// L((n + 1)/weight). Where the curve is flat the shallower of two endpoints is the cheaper by
    /// a millionth, so that equal endpoints are served as by least_connections.
    private func latency(_ endpoint: EndpointRow, _ curve: LatencyCurve, _ now: Int64) -> Double {
        let depth =
            Double(endpoint.handle.inFlight + 1) * endpoint.inverseShare / ramp(endpoint, now)
        return curve.latency(at: depth) * (1 + 1e-6 * depth)
    }

    private func factor(of endpoint: EndpointRow, _ curve: LatencyCurve, _ now: Int64) -> Double {
        let record = endpoint.handle.records
        if now >= record.it.factorExpires.value { refresh(endpoint.handle, curve, now) }
        return record.it.factor.value
    }

    /// Without requests a factor fades with time alone: computed anew now and then, not each time.
    @inline(never)
    private func refresh(_ handle: EndpointHandle, _ curve: LatencyCurve, _ now: Int64) {
        guard handle.records.it.gate.enter() else { return }
        handle.records.it.latency.forget(until: now, halfLife: curve.halfLife)
        handle.publishFactor(curve, now)
        handle.records.it.gate.leave()
    }

    /// Above it an endpoint is poor enough to wait for a better one.
    private static var poorFactor: Double { 1.4 }
}

extension EndpointHandle {
    /// Makes the factor that the latency memory amounts to visible to choices. Under the gate.
    func publishFactor(_ curve: LatencyCurve, _ now: Int64) {
        records.it.factor.value = records.it.latency.factor(variance: curve.variance)
        records.it.factorExpires.value = now + Int64(curve.halfLife / 64)
    }
}
