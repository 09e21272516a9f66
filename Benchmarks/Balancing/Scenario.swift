// What is simulated: a fleet of replicas with slots, its load, and who chooses.

import Traffic

/// How the replicas differ.
enum FleetKind: String {
    case equal
    /// Six percent are four times slower at any time, others after a while.
    case slowSome
    /// Half take twice as long.
    case mixed
    /// One answers every request at once, with an error.
    case failing
}

/// Who chooses: the real policy, or an omniscient queue before all slots.
enum Chooser: Equatable {
    case central
    /// `views` gateways that do not see each other's requests; 1 is exact.
    case policy(BalancingAlgorithm, views: Int, bindsLate: Bool)
}

struct Scenario {
    var fleet: FleetKind
    var chooser: Chooser
    var seed: UInt64
    let replicas = 64
    /// One each reproduces the design's ratios; more of them share queues and soften every ratio.
    let slots = 1
    let load = 0.85
    let requests = 200_000
    /// Not counted: the queues fill and the policies learn.
    let warmUp = 50_000
    /// Mean service time in nanoseconds.
    let service = 50_000_000.0

    /// How much longer a replica takes at a time than the best do.
    func slowness(_ replica: Int, at time: Double) -> Double {
        switch fleet {
        case .equal, .failing: return 1
        case .mixed: return replica % 2 == 0 ? 1 : 2
        case .slowSome:
            let period = Int(time / (200 * service))
            let first = (period * 4) % replicas
            return replica >= first && replica < first + 4 ? 4 : 1
        }
    }

    func fails(_ replica: Int) -> Bool { fleet == .failing && replica == 0 }

    /// Requests a nanosecond.
    var arrivalRate: Double {
        var capacity = 0.0
        for replica in 0..<replicas where !fails(replica) {
            capacity += Double(slots) / (service * slowness(replica, at: 0))
        }
        return load * capacity
    }
}
