// The algorithms, one by one, on one loop in simulated time: against an oracle where there is one,
// else by what must hold. Seeds stand in the failure messages.

import Balancing
import Testing
import Traffic

@Suite struct ServiceBalancerTests {
    @Test(arguments: [[1, 1, 1, 1], [5, 1, 1], [1000, 1], [3, 2]])
    func `round robin is exact over each whole cycle`(weights: [Int]) {
        let cycle = weights.reduce(0, +)
        for seed: UInt64 in 1...5 {
            var fleet = Fleet(service(weights: weights), seed: seed)
            for _ in 0..<3 { #expect(fleet.spread(cycle) == weights, "seed \(seed)") }
        }
    }

    @Test func `round robin interleaves the heavy with the light`() {
        var fleet = Fleet(service(weights: [4, 2, 2]), seed: 3)
        let turns = (0..<80).map { _ in fleet.serve() }
        for start in 0..<77 { #expect(Set(turns[start..<start + 4]).count > 1) }
    }

    @Test func `least connections is the oracle's choice at every step`() {
        let seed: UInt64 = 11
        var random = RandomSource(seed: seed)
        let weights = [3, 1, 2, 1]
        var fleet = Fleet(service(.leastConnections, weights: weights), seed: seed)
        var counts = [0, 0, 0, 0]
        for step in 0..<2000 {
            let busy = counts.indices.filter { counts[$0] > 0 }
            if random.below(2) == 0, !busy.isEmpty {
                let index = busy[random.below(busy.count)]
                fleet.handle(index).end()
                counts[index] -= 1
                continue
            }
            let costs = counts.indices.map { Double(counts[$0] + 1) / Double(weights[$0]) }
            let index = fleet.choose()
            #expect(costs[index] <= (costs.min() ?? 0) + 1e-9, "seed \(seed), step \(step)")
            counts[index] += 1
        }
    }

    @Test func `two random choices reach every endpoint and avoid the loaded one`() {
        var fleet = Fleet(service(.randomTwoChoices, weights: [1, 1, 1, 1]), seed: 5)
        for _ in 0..<50 { fleet.handle(0).begin() }
        let counts = fleet.spread(3000)
        #expect(counts[0] == 0)
        for index in 1..<4 { #expect(abs(counts[index] - 1000) < 150, "seed 5: \(counts)") }
    }

    private func homes(_ fleet: inout Fleet, keys: Int = 3000) -> [Int] {
        (0..<keys).map { key in
            var request = ChoiceRequest()
            request.clientHash = mixed(UInt64(key))
            return fleet.serve(request)
        }
    }

    @Test func `an address keeps its endpoint and only the lost one's move`() {
        var fleet = Fleet(service(.ipHash, weights: [1, 1, 1, 1, 1]))
        let before = homes(&fleet)
        #expect(homes(&fleet) == before)
        for index in 0..<5 { #expect(abs(before.count { $0 == index } - 600) < 100) }
        fleet.handle(2).setHealth(.down, now: fleet.now)
        let after = homes(&fleet)
        for (old, new) in zip(before, after) { #expect(old == 2 ? new != 2 : new == old) }
        // Each key of the lost one goes to its own next choice: all others take some.
        #expect(Set(zip(before, after).filter { $0.0 == 2 }.map(\.1)) == [0, 1, 3, 4])
    }

    @Test func `a header's key moves once when its endpoint is gone, and stays`() {
        var plan = service()
        plan.balancing.sticky = StickyPlan(key: .header("x-user"))
        var fleet = Fleet(plan)
        var request = ChoiceRequest()
        request.hasStickyHash = true
        request.stickyHash = 99
        let home = fleet.serve(request)
        fleet.handle(home).setHealth(.down, now: fleet.now)
        let refuge = fleet.serve(request)
        let moved = fleet.balancer.movedSession
        #expect(refuge != home && moved)
        fleet.handle(home).setHealth(.up, now: fleet.now)
        #expect(fleet.serve(request) == refuge)
    }

    @Test func `a session stays with its endpoint and moves when that is down`() {
        var fleet = Fleet(service(.leastConnections))
        var request = ChoiceRequest()
        request.stickyEndpoint = 2
        for _ in 0..<20 { #expect(fleet.choose(request) == 2) }
        fleet.handle(2).setHealth(.down, now: fleet.now)
        #expect(fleet.choose(request) != 2)
        let moved = fleet.balancer.movedSession
        #expect(moved)
    }

    @Test func `a tenth of a percent is a tenth of a percent`() {
        let plan = ServicePlan(
            name: "echo", revisions: [revision("a", weight: 999), revision("b", weight: 1)])
        var fleet = Fleet(plan, seed: 17)
        var random = 0
        var keyed = 0
        for key in 0..<200_000 as Range<UInt64> {
            random += fleet.balancer.chooseRevision(key: 0, hasKey: false, override: -1, now: 0)
            keyed += fleet.balancer.chooseRevision(
                key: mixed(key), hasKey: true, override: -1, now: 0)
        }
        // 200 expected; four standard deviations are 57.
        #expect(abs(random - 200) < 57 && abs(keyed - 200) < 57, "seed 17: \(random) \(keyed)")
    }

    @Test func `a split that grows only takes keys and never gives them back`() {
        func assigned(_ share: Int) -> [Int] {
            let revisions = [
                revision("a", weight: 1000 - share), revision("b", weight: share),
            ]
            var fleet = Fleet(ServicePlan(name: "echo", revisions: revisions))
            return (0..<2000 as Range<UInt64>).map {
                fleet.balancer.chooseRevision(key: mixed($0), hasKey: true, override: -1, now: 0)
            }
        }
        let shares = [0, 10, 100, 500, 1000].map(assigned)
        for (less, more) in zip(shares, shares.dropFirst()) {
            for (before, after) in zip(less, more) { #expect(before <= after) }
        }
    }

    @Test func `an override wins, a revision without endpoints gives way`() {
        let plan = ServicePlan(
            name: "echo",
            revisions: [revision("a", weight: 1000, weights: []), revision("b", weight: 0)])
        var fleet = Fleet(plan)
        #expect(fleet.balancer.chooseRevision(key: 0, hasKey: false, override: 0, now: 0) == 0)
        #expect(fleet.balancer.chooseRevision(key: 0, hasKey: false, override: -1, now: 0) == 1)
    }

    @Test func `a revision that is down gives way to one with a share that serves`() {
        let plan = ServicePlan(
            name: "echo",
            revisions: [
                revision("a", weight: 0, weights: [1]),
                revision("b", weight: 400, weights: [1, 1]),
                revision("c", weight: 600, weights: [1]),
            ])
        var fleet = Fleet(plan)
        let spread = fleet.revisions(2000)
        #expect(spread[0] == 0 && abs(spread[1] - 800) < 100, "\(spread)")
        fleet.table.handle(revision: 1, endpoint: 0).setHealth(.down, now: 0)
        let half = fleet.revisions(2000)
        #expect(half[1] > 0, "one of two endpoints is enough")
        fleet.table.handle(revision: 1, endpoint: 1).setHealth(.down, now: 0)
        #expect(fleet.revisions(2000) == [0, 0, 2000])
        #expect(fleet.revisions(200, keyed: true) == [0, 0, 200])
        // An override is somebody's word.
        #expect(fleet.balancer.chooseRevision(key: 0, hasKey: false, override: 1, now: 0) == 1)
        // None serves: each keeps its share, and weight 0 stays without, healthy or not.
        fleet.table.handle(revision: 2, endpoint: 0).setHealth(.down, now: 0)
        let panic = fleet.revisions(2000)
        #expect(panic[0] == 0 && abs(panic[1] - 800) < 100, "\(panic)")
    }

    @Test func `a drained endpoint does not serve its revision`() {
        var plan = ServicePlan(
            name: "echo",
            revisions: [
                revision("a", weight: 500, weights: [1, 1]),
                revision("b", weight: 500, weights: [1]),
            ])
        plan.revisions[0].endpoints[0].isDrained = true
        var fleet = Fleet(plan)
        fleet.table.handle(revision: 0, endpoint: 1).setHealth(.down, now: 0)
        #expect(fleet.revisions(500) == [0, 500])
    }

    @Test func `an endpoint back from the dead begins with a small share`() {
        var plan = service(weights: [1, 1])
        plan.balancing.slowStart = .seconds(30)
        var fleet = Fleet(plan, seed: 2)
        fleet.now = 100 * second
        fleet.handle(1).setHealth(.down, now: fleet.now)
        fleet.handle(1).setHealth(.up, now: fleet.now)
        let start = fleet.spread(1100)
        fleet.now += 15 * second
        let half = fleet.spread(1500)
        fleet.now += 15 * second
        let full = fleet.spread(1000)
        #expect(abs(start[1] - 100) <= 3 && abs(half[1] - 500) <= 3 && abs(full[1] - 500) <= 3)
    }
}
