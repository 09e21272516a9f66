// One service on one loop, in simulated time: the plan, the shared states and a balancer over them.
// What a test drives; it counts requests in and out as the gateway does.

import Balancing
import Traffic

let second: Int64 = 1_000_000_000
let millisecond: Int64 = 1_000_000
let stickyKey = StickyKey(bytes: Array(0..<16))

struct Fleet: ~Copyable {
    let table: BalancingTable
    let states: [[EndpointState]]
    var balancer: ServiceBalancer
    var now: Int64 = second

    init(_ service: ServicePlan, seed: UInt64 = 1) {
        states = service.revisions.map { $0.endpoints.map { _ in EndpointState() } }
        table = BalancingTable(service: service, states: states, key: stickyKey, now: 0)
        balancer = ServiceBalancer(table: table, seed: seed)
    }

    func handle(_ endpoint: Int) -> EndpointHandle {
        table.handle(revision: 0, endpoint: endpoint)
    }

    /// Chooses and leaves the request in flight; −1 when there is no endpoint.
    mutating func choose(_ request: ChoiceRequest = ChoiceRequest()) -> Int {
        guard case .endpoint(let index) = choice(request) else { return -1 }
        return Int(index)
    }

    mutating func choice(_ request: ChoiceRequest = ChoiceRequest()) -> Choice {
        balancer.choose(revision: 0, request: request, now: now)
    }

    /// Chooses, and the answer is there at once.
    mutating func serve(_ request: ChoiceRequest = ChoiceRequest()) -> Int {
        let index = choose(request)
        if index >= 0 { handle(index).end() }
        return index
    }

    /// How many of `count` requests, one after the other, each endpoint gets.
    mutating func spread(_ count: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: states[0].count)
        for _ in 0..<count {
            let index = serve()
            if index >= 0 { counts[index] += 1 }
        }
        return counts
    }

    /// How many of `count` requests are meant for each revision.
    mutating func revisions(_ count: Int, keyed: Bool = false) -> [Int] {
        var counts = [Int](repeating: 0, count: states.count)
        for key in 0..<UInt64(count) {
            let revision = balancer.chooseRevision(
                key: mixed(key), hasKey: keyed, override: -1, now: now)
            counts[revision] += 1
        }
        return counts
    }

    mutating func finish(
        _ endpoint: Int, _ outcome: Outcome = .success, latency: Int64 = 10 * millisecond,
        depth: Int32 = 1
    ) {
        balancer.finished(
            revision: 0, endpoint: Int32(endpoint),
            result: TryResult(outcome: outcome, latencyNanoseconds: latency, depth: depth),
            now: now)
    }
}

/// A service of one revision.
func service(
    _ algorithm: BalancingAlgorithm = .roundRobin, weights: [Int] = [1, 1, 1],
    concurrency: Int? = nil
) -> ServicePlan {
    var plan = ServicePlan(
        name: "echo",
        revisions: [revision("one", weight: 1000, weights: weights, concurrency: concurrency)])
    plan.balancing.algorithm = algorithm
    return plan
}

func revision(
    _ name: String, weight: Int, weights: [Int] = [1], concurrency: Int? = nil
) -> RevisionPlan {
    let endpoints = weights.enumerated().map { index, weight in
        EndpointPlan(
            address: .tcp(host: "\(name).example", port: UInt16(8000 + index)), weight: weight,
            concurrency: concurrency)
    }
    return RevisionPlan(name: name, weight: weight, endpoints: endpoints)
}
