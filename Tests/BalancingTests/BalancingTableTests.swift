// What outlives a request: sessions by tag, ejections with their budget and growing time, and the
// states and curves that pass from one table to the next.

import Balancing
import Testing
import Traffic

@Suite struct BalancingTableTests {
    private func fleet(_ count: Int, maxShare: Double = 0.5) -> Fleet {
        var plan = service(weights: [Int](repeating: 1, count: count))
        plan.ejection.maxShare = maxShare
        return Fleet(plan)
    }

    @Test func `a tag finds its endpoint, an unknown one finds none`() throws {
        let plan = ServicePlan(
            name: "echo",
            revisions: [
                revision("a", weight: 500, weights: [1, 1]), revision("b", weight: 500),
                revision("gone", weight: 0),
            ])
        let table = Fleet(plan).table
        let found = try #require(table.session(tag: table.tag(revision: 0, endpoint: 1)))
        #expect(found == (0, 1))
        #expect(table.session(tag: table.tag(revision: 2, endpoint: 0)) == nil)
        #expect(table.session(tag: 12345) == nil)
    }

    @Test func `five failures in a row eject, a success between them starts anew`() {
        var fleet = fleet(4)
        for _ in 0..<4 { fleet.finish(0, .model) }
        fleet.finish(0)
        for _ in 0..<4 { fleet.finish(0, .transport) }
        #expect(!fleet.handle(0).isEjected(now: fleet.now))
        fleet.finish(0, .timeout)
        #expect(fleet.handle(0).isEjected(now: fleet.now))
    }

    @Test(arguments: [Outcome.client, .cancelled, .overload])
    func `what is not the endpoint's fault does not eject`(outcome: Outcome) {
        var fleet = fleet(4)
        for _ in 0..<100 { fleet.finish(0, outcome) }
        #expect(!fleet.handle(0).isEjected(now: fleet.now))
    }

    @Test(arguments: [(1, 0.5, 0), (2, 0.5, 1), (3, 0.5, 1), (5, 0.5, 2), (4, 1.0, 3), (3, 0.3, 0)])
    func `no more are ejected than the budget's floor`(
        count: Int, maxShare: Double, expected: Int
    ) {
        var fleet = fleet(count, maxShare: maxShare)
        for index in 0..<count {
            for _ in 0..<20 { fleet.finish(index, .model) }
        }
        let ejected = (0..<count).count { fleet.handle($0).isEjected(now: fleet.now) }
        #expect(ejected == expected)
    }

    @Test func `each further ejection lasts longer`() {
        var fleet = fleet(4)
        for times in 1...3 {
            for _ in 0..<5 { fleet.finish(0, .model) }
            fleet.now += Int64(times) * 10 * second - 1
            #expect(fleet.handle(0).isEjected(now: fleet.now), "\(times)")
            fleet.now += 1
            #expect(!fleet.handle(0).isEjected(now: fleet.now), "\(times)")
        }
    }

    @Test func `good conduct is forgiven`() {
        var fleet = fleet(4)
        for _ in 0..<5 { fleet.finish(0, .model) }
        #expect(fleet.handle(0).ejections == 1)
        fleet.now += 21 * second
        fleet.table.evaluate(now: fleet.now)
        #expect(fleet.handle(0).ejections == 0)
    }

    @Test func `an endpoint that fails far more often than its peers is ejected`() {
        var fleet = fleet(4)
        for turn in 0..<100 {
            for index in 0..<4 {
                fleet.finish(index, index == 2 && turn % 2 == 0 ? .model : .success)
            }
        }
        fleet.table.evaluate(now: fleet.now)
        let ejected = (0..<4).filter { fleet.handle($0).isEjected(now: fleet.now) }
        #expect(ejected == [2])
    }

    @Test func `when all fail alike none is ejected for its rate`() {
        var fleet = fleet(4)
        for turn in 0..<100 {
            for index in 0..<4 { fleet.finish(index, turn % 2 == 0 ? .model : .success) }
        }
        fleet.table.evaluate(now: fleet.now)
        #expect((0..<4).allSatisfy { !fleet.handle($0).isEjected(now: fleet.now) })
    }

    @Test func `an endpoint far slower than its peers is ejected, a little slower is not`() {
        for (factor, expected) in [(10, true), (3, false)] as [(Int64, Bool)] {
            var fleet = fleet(4)
            for _ in 0..<100 {
                for index in 0..<4 {
                    fleet.finish(index, latency: millisecond * (index == 1 ? factor : 1))
                }
            }
            fleet.table.evaluate(now: fleet.now)
            #expect(fleet.handle(1).isEjected(now: fleet.now) == expected)
        }
    }

    @Test func `a new table keeps counts and ejections of the states it takes over`() {
        var fleet = fleet(4)
        for _ in 0..<5 { fleet.finish(0, .model) }
        fleet.handle(1).begin()
        let next = BalancingTable(
            service: service(weights: [1, 1, 1, 1]), states: fleet.states, key: stickyKey,
            now: fleet.now, previous: fleet.table)
        #expect(next.handle(revision: 0, endpoint: 0).isEjected(now: fleet.now))
        #expect(next.handle(revision: 0, endpoint: 1).inFlight == 1)
    }
}
