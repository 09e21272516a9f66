// Records keep their place and their value until they are given back, and no longer.
// Their addresses are aligned, whatever their size, since tokens use the low four bits.

import Fixtures
import Reactor
import Testing

private struct Small {
    var byte: UInt8
}

private struct Odd {
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    var byte: UInt8 = 0
}

/// Its size is no multiple of sixteen.
private struct Uneven {
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
}

@Suite struct SlabTests {
    @Test func `a record is written and read through its slot and the slot's copies`() throws {
        var slab = Slab<Odd>(limit: 10)
        let slot = try take(Odd(), from: &slab)
        slot.it.byte = 7
        slot.it.words.2 = 99
        let copy = try #require(Slot<Odd>(address: slot.address))
        #expect(copy == slot && copy.it.byte == 7 && copy.it.words.2 == 99)
        slab.give(slot)
        let count = slab.count
        #expect(count == 0)
    }

    @Test func `addresses are distinct and leave the low four bits free`() throws {
        var small = Slab<Small>(limit: 1000)
        var odd = Slab<Odd>(limit: 1000)
        var uneven = Slab<Uneven>(limit: 1000)
        var seen: Set<UInt> = []
        for index in 0..<500 {
            let first = try take(Small(byte: UInt8(index & 255)), from: &small).address
            let second = try take(Odd(), from: &odd).address
            let third = try take(Uneven(), from: &uneven).address
            #expect(first & 15 == 0 && second & 15 == 0 && third & 15 == 0)
            #expect(seen.insert(first).inserted && seen.insert(second).inserted)
            #expect(seen.insert(third).inserted)
        }
    }

    @Test func `nothing is taken beyond the limit until something is given back`() throws {
        var slab = Slab<Small>(limit: 65)
        var slots: [Slot<Small>] = []
        for _ in 0..<65 { slots.append(try take(Small(byte: 1), from: &slab)) }
        let refused = slab.take(Small(byte: 2))
        #expect(refused == nil)
        slab.give(slots[3])
        let taken = slab.take(Small(byte: 3))
        #expect(taken == slots[3] && slots[3].it.byte == 3)
    }

    @Test func `a record that holds an object releases it when given back`() throws {
        final class Thing {}
        var slab = Slab<Thing>(limit: 4)
        weak var seen: Thing?
        let slot = try {
            let thing = Thing()
            seen = thing
            return try take(thing, from: &slab)
        }()
        #expect(seen != nil)
        slab.give(slot)
        #expect(seen == nil)
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `records keep their values through any order of giving and taking`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var slab = Slab<Odd>(limit: 300)
        var live: [(slot: Slot<Odd>, value: UInt64)] = []
        for _ in 0..<5000 {
            if random.next() % 2 == 0, live.count < 300 {
                let value = random.next()
                live.append((try take(Odd(words: (value, ~value, 0)), from: &slab), value))
            } else if !live.isEmpty {
                let index = Int(random.next() % UInt64(live.count))
                let (slot, value) = live.swapRemove(at: index)
                #expect(slot.it.words.0 == value && slot.it.words.1 == ~value, "seed \(seed)")
                slab.give(slot)
            }
        }
        let count = slab.count
        #expect(count == live.count)
    }

    @Test func `giving a record back twice is a programming error`() async {
        await #expect(processExitsWith: .failure) {
            var slab = Slab<Odd>(limit: 4)
            guard let slot = slab.take(Odd()) else { return }
            slab.give(slot)
            slab.give(slot)
        }
    }
}

/// `#require` cannot hold a slab, which is not copyable.
private func take<Record>(
    _ value: Record, from slab: inout Slab<Record>
) throws -> Slot<Record> {
    let slot = slab.take(value)
    return try #require(slot)
}

extension Array {
    fileprivate mutating func swapRemove(at index: Int) -> Element {
        swapAt(index, count - 1)
        return removeLast()
    }
}
