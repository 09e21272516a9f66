// What least_latency learns of one endpoint: slower than its peers, or failing, it gets less, and
// silence forgives.

import Balancing
import Testing
import Traffic

@Suite struct LatencyMemoryTests {
    /// Every endpoint answers `count` times, number 0 as told.
    private func teach(
        _ fleet: inout Fleet, _ count: Int, latency: Int64 = 10 * millisecond,
        _ outcome: Outcome = .success
    ) {
        for _ in 0..<count {
            fleet.now += millisecond
            fleet.finish(0, outcome, latency: latency)
            for index in 1..<4 { fleet.finish(index) }
        }
    }

    @Test func `an endpoint four times slower is idle until its peers are two deep`() {
        var fleet = Fleet(service(.leastLatency, weights: [1, 1, 1, 1]))
        teach(&fleet, 300, latency: 40 * millisecond)
        for _ in 0..<6 { #expect(fleet.choose() != 0) }
        #expect((1..<4).map { fleet.handle($0).inFlight } == [2, 2, 2])
    }

    @Test func `one that fails fast does not look quick`() {
        var plan = service(.leastLatency, weights: [1, 1, 1, 1])
        plan.ejection.failures = 0
        var fleet = Fleet(plan)
        teach(&fleet, 100)
        teach(&fleet, 10, latency: 1000, .model)
        for _ in 0..<30 { #expect(fleet.serve() != 0) }
    }

    @Test func `silence forgives`() {
        var plan = service(.leastLatency, weights: [1, 1, 1, 1])
        plan.ejection.failures = 0
        var fleet = Fleet(plan)
        teach(&fleet, 300, latency: 40 * millisecond)
        teach(&fleet, 20, latency: 1000, .transport)
        #expect(fleet.serve() != 0)
        fleet.now += 1000 * second
        #expect(fleet.spread(400)[0] > 50)
    }
}
