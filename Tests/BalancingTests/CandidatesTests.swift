// Who may be chosen, from the best case to the last resort: fresh, tried, all of a sick revision.

import Balancing
import Testing
import Traffic

@Suite struct CandidatesTests {
    @Test(arguments: BalancingAlgorithm.allCases)
    func `endpoints that are down or drained get nothing`(algorithm: BalancingAlgorithm) {
        var plan = service(algorithm)
        plan.revisions[0].endpoints[0].isDrained = true
        var fleet = Fleet(plan)
        fleet.handle(1).setHealth(.down, now: 0)
        #expect(fleet.spread(50) == [0, 0, 50])
    }

    @Test func `when all are down all are tried, but never the drained`() {
        var plan = service()
        plan.revisions[0].endpoints[0].isDrained = true
        var fleet = Fleet(plan)
        for index in 0..<3 { fleet.handle(index).setHealth(.down, now: 0) }
        #expect(fleet.table.isPanicking(revision: 0, now: 1))
        #expect(fleet.spread(50) == [0, 25, 25])
        let isPanicking = fleet.balancer.isPanicking
        #expect(isPanicking)
    }

    @Test func `one tried is taken again before one that is down`() {
        var fleet = Fleet(service(weights: [1, 1]))
        fleet.handle(1).setHealth(.down, now: 0)
        var request = ChoiceRequest()
        request.recordTry(of: 0)
        #expect(fleet.serve(request) == 0)
    }

    @Test func `a revision all drained has no endpoint`() {
        var plan = service()
        for index in 0..<3 { plan.revisions[0].endpoints[index].isDrained = true }
        var fleet = Fleet(plan)
        #expect(fleet.choice() == .none)
        #expect(!fleet.table.isPanicking(revision: 0, now: 1))
    }

    @Test(arguments: BalancingAlgorithm.allCases)
    func `no endpoint gets more than its slots`(algorithm: BalancingAlgorithm) {
        var fleet = Fleet(service(algorithm, concurrency: 2))
        for _ in 0..<6 { #expect(fleet.choose() >= 0) }
        #expect((0..<3).map { fleet.handle($0).inFlight } == [2, 2, 2])
        #expect(fleet.choice() == .hold)
        fleet.handle(1).end()
        #expect(fleet.choose() == 1)
    }

    @Test func `a newcomer does not overtake a request that is held`() {
        var fleet = Fleet(service(weights: [1], concurrency: 1))
        #expect(fleet.choose() == 0)
        fleet.table.holdBoard(revision: 0).set(loop: 0, waiting: 1, oldestArrival: 5)
        fleet.handle(0).end()
        #expect(fleet.choice() == .hold)
        var held = ChoiceRequest()
        held.isHeld = true
        #expect(fleet.choice(held) == .endpoint(0))
    }
}
