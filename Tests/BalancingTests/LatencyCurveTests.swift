// What least_latency learns of a fleet: the latency at each depth, shared by all endpoints.

import Balancing
import Testing
import Traffic

@Suite struct LatencyCurveTests {
    @Test func `before any sample it balances as least connections`() {
        var fleet = Fleet(service(.leastLatency, weights: [1, 1, 1, 1]))
        for _ in 0..<40 { #expect(fleet.choose() >= 0) }
        #expect((0..<4).map { fleet.handle($0).inFlight } == [10, 10, 10, 10])
    }

    @Test func `equal endpoints stay balanced as by least connections`() {
        let seed: UInt64 = 4
        var fleet = Fleet(service(.leastLatency, weights: [1, 1, 1, 1]), seed: seed)
        var random = RandomSource(seed: seed)
        for _ in 0..<4000 {
            let index = fleet.choose()
            let depth = fleet.balancer.chosenDepth
            let latency = Int64((0.5 + random.unit()) * Double(10 * millisecond))
            fleet.handle(index).end()
            fleet.now += millisecond
            fleet.finish(index, latency: latency, depth: depth)
        }
        for _ in 0..<40 { #expect(fleet.choose() >= 0) }
        #expect((0..<4).map { fleet.handle($0).inFlight } == [10, 10, 10, 10], "seed \(seed)")
    }
}
