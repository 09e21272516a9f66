// A balancer for each view of the fleet. One alone is the common case; sixteen are the gateways or
// workers that do not share their counts.

import Traffic

struct Balancers: ~Copyable {
    private let balancers: SharedMemory<Balancer>

    init(_ tables: [BalancingTable], seed: UInt64) {
        balancers = SharedMemory(count: tables.count) { index in
            Balancer(value: ServiceBalancer(table: tables[index], seed: seed &+ UInt64(index)))
        }
    }

    mutating func choose(_ view: Int, isHeld: Bool, _ now: Int64) -> (Int, Int32) {
        var request = ChoiceRequest()
        request.isHeld = isHeld
        let choice = balancers.records[view].value.choose(revision: 0, request: request, now: now)
        guard case .endpoint(let index) = choice else { return (-1, 0) }
        return (Int(index), balancers.records[view].value.chosenDepth)
    }

    mutating func finished(_ view: Int, _ endpoint: Int32, _ result: TryResult, _ now: Int64) {
        balancers.records[view].value.finished(
            revision: 0, endpoint: endpoint, result: result, now: now)
    }

    private struct Balancer: ~Copyable {
        var value: ServiceBalancer
    }
}
