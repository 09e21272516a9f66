// Nanoseconds of a choice and its finish together, four endpoints, one loop, nothing else running:
// the least of ten rounds. The only part of the benchmark that reads a clock.

import Traffic

enum ChoiceCost {
    static func nanoseconds(_ algorithm: BalancingAlgorithm) -> Double {
        var plan = ServicePlan(
            name: "fleet", revisions: [RevisionPlan(name: "one", weight: 1000, endpoints: [])])
        plan.balancing.algorithm = algorithm
        plan.revisions[0].endpoints = (1...4).map {
            EndpointPlan(address: .tcp(host: "replica", port: UInt16($0)))
        }
        let states = [(1...4).map { _ in EndpointState() }]
        let table = BalancingTable(
            service: plan, states: states, key: StickyKey(bytes: Array(0..<16)), now: 0)
        var balancer = ServiceBalancer(table: table, seed: 1)
        var best = Duration.seconds(1)
        for _ in 0..<10 {
            let spent = ContinuousClock().measure { serve(100_000, &balancer) }
            best = min(best, spent)
        }
        return Double(best.components.attoseconds / 1_000_000_000) / 100_000
    }

    @inline(never)
    private static func serve(_ count: Int64, _ balancer: inout ServiceBalancer) {
        for now in 0..<count {
            let choice = balancer.choose(revision: 0, request: ChoiceRequest(), now: now)
            guard case .endpoint(let index) = choice else { continue }
            balancer.table.handle(revision: 0, endpoint: Int(index)).end()
            let result = TryResult(
                outcome: .success, latencyNanoseconds: 1_000_000, depth: balancer.chosenDepth)
            balancer.finished(revision: 0, endpoint: index, result: result, now: now)
        }
    }
}
