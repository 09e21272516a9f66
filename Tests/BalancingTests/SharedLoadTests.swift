// Rows of shared records: aligned for the caches, within bounds, gone with their owner.

import Balancing
import Testing

@Suite struct SharedLoadTests {
    private final class Witness {}

    @Test func `a row begins on cache lines of its own`() {
        let rows = (1...5).map { SharedMemory(count: $0) { $0 } }
        for row in rows { #expect(row.records.address % 128 == 0) }
    }

    @Test func `a record is where it was made and may be replaced`() {
        let memory = SharedMemory(count: 3) { $0 * 10 }
        memory.records[1] = 7
        #expect((0..<3).map { memory.records[$0] } == [0, 7, 20])
        #expect(memory.records.it == 0)
    }

    @Test func `the records go with their owner`() {
        weak var witness: Witness?
        do {
            let memory = SharedMemory(count: 2) { _ in Witness() }
            witness = memory.records.it
            #expect(witness != nil)
        }
        #expect(witness == nil)
    }
}
