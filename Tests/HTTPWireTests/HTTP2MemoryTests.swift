// The library's memory: pieces of any size, given back and taken again, are nobody else's
// meanwhile, and what is kept of them has a bound.

import Fixtures
import Testing

@testable import HTTPWire

@Suite struct HTTP2MemoryTests {
    @Test func `a piece given back is the next one of its size`() {
        var memory = HTTP2Memory()
        let first = unsafe memory.take(100)
        unsafe memory.give(first)
        let second = unsafe memory.take(112)
        #expect(unsafe first == second)
        let third = unsafe memory.take(112)
        #expect(unsafe third != second)
        unsafe memory.give(second)
        unsafe memory.give(third)
        #expect(memory.keptCount == 2)
    }

    @Test func `large pieces are not kept and small ones up to a number`() {
        var memory = HTTP2Memory()
        let large = unsafe memory.take(Limits.pooledBytes + 1)
        unsafe memory.give(large)
        #expect(memory.keptCount == 0)
        let most = Int(Limits.pooledPieces)
        var pieces: [UnsafeMutableRawPointer] = unsafe []
        for _ in 0..<(most + 10) { unsafe pieces.append(memory.take(40)) }
        for index in unsafe pieces.indices { unsafe memory.give(pieces[index]) }
        #expect(memory.keptCount == most)
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func `pieces keep their bytes until they are given back`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var memory = HTTP2Memory()
        var pieces: [(place: UnsafeMutableRawPointer, count: Int, byte: UInt8)] = unsafe []
        for step in 0..<5_000 {
            let count = Int.random(in: 1...2_000, using: &random)
            let byte = UInt8(truncatingIfNeeded: step)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let place = unsafe memory.take(count)
                unsafe place.initializeMemory(as: UInt8.self, repeating: byte, count: count)
                unsafe pieces.append((place, count, byte))
            case 1 where unsafe !pieces.isEmpty:
                let index = unsafe Int.random(in: pieces.indices, using: &random)
                let piece = unsafe pieces.remove(at: index)
                #expect(unsafe holds(piece), "seed \(seed)")
                unsafe memory.give(piece.place)
            case 2 where unsafe !pieces.isEmpty:
                let index = unsafe Int.random(in: pieces.indices, using: &random)
                let piece = unsafe pieces[index]
                let place = unsafe memory.resize(piece.place, to: count)
                let kept = unsafe (place, min(piece.count, count), piece.byte)
                #expect(unsafe holds(kept), "seed \(seed)")
                unsafe pieces[index] = unsafe kept
            default: break
            }
        }
        for index in unsafe pieces.indices { unsafe memory.give(pieces[index].place) }
    }

    private func holds(_ piece: (place: UnsafeMutableRawPointer, count: Int, byte: UInt8)) -> Bool {
        let bytes = unsafe Array(
            UnsafeRawBufferPointer(start: piece.place, count: piece.count))
        let byte = unsafe piece.byte
        return bytes.allSatisfy { $0 == byte }
    }
}
