// The rows a table is made of: tags that tell endpoints apart and survive a new table.

import Balancing
import Testing
import Traffic

@Suite struct BalancingRowsTests {
    private func plan(_ names: [String]) -> ServicePlan {
        ServicePlan(
            name: "echo", revisions: names.map { revision($0, weight: 100, weights: [1, 1, 1]) })
    }

    @Test func `no two endpoints share a tag`() {
        let table = Fleet(plan(["a", "b"])).table
        let tags = (0..<6).map { table.tag(revision: $0 / 3, endpoint: $0 % 3) }
        #expect(Set(tags).count == 6)
    }

    @Test func `a tag depends on name and address, not on position`() {
        let one = Fleet(plan(["a", "b"])).table
        let other = Fleet(plan(["b", "a"])).table
        #expect(one.tag(revision: 0, endpoint: 2) == other.tag(revision: 1, endpoint: 2))
    }

    @Test func `every endpoint's tag finds it again`() throws {
        let table = Fleet(plan(["a", "b", "c"])).table
        for place in 0..<9 {
            let tag = table.tag(revision: place / 3, endpoint: place % 3)
            let found = try #require(table.session(tag: tag))
            #expect(found == (place / 3, Int32(place % 3)))
        }
    }
}
