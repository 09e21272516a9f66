// When freed memory is given back: soon after much of it has come up, and seldom where it brings
// nothing.

import Reactor
import Testing

@Suite struct SpareMemoryTests {
    private static let mebibyte = 1 << 20
    private static let second: Int64 = 1_000_000_000

    @Test func `little more than at the start is left alone`() {
        var memory = SpareMemory(residentBytes: 50 * Self.mebibyte)
        let isLittle = memory.isWorthReturning(residentBytes: 66 * Self.mebibyte, now: Self.second)
        #expect(!isLittle)
        let isMuch = memory.isWorthReturning(residentBytes: 67 * Self.mebibyte, now: Self.second)
        #expect(isMuch)
    }

    @Test func `what brought much is done again soon, what brought nothing seldom`() {
        var memory = SpareMemory(residentBytes: 50 * Self.mebibyte)
        let large = 200 * Self.mebibyte
        memory.wasReturned((2 * large, large), now: 0)
        let isEarly = memory.isWorthReturning(residentBytes: large, now: Self.second)
        #expect(!isEarly)
        let isDue = memory.isWorthReturning(residentBytes: large, now: 2 * Self.second)
        #expect(isDue)
        var now: Int64 = 0
        var times = 0
        while now < 3_600 * Self.second {
            now += Self.second
            guard memory.isWorthReturning(residentBytes: large, now: now) else { continue }
            memory.wasReturned((large, large), now: now)
            times += 1
        }
        #expect(times == 20)
    }

    @Test func `growth after that is looked at soon`() {
        var memory = SpareMemory(residentBytes: 50 * Self.mebibyte)
        let large = 200 * Self.mebibyte
        for step in 1...10 {
            memory.wasReturned((large, large), now: Int64(step) * 300 * Self.second)
        }
        let grown = 300 * Self.mebibyte
        let isUsed = memory.isWorthReturning(residentBytes: large, now: 3_200 * Self.second)
        #expect(!isUsed)
        let isGrown = memory.isWorthReturning(residentBytes: grown, now: 3_200 * Self.second)
        #expect(isGrown)
    }

    @Test func `the system tells how much is resident, and takes memory back`() {
        let before = SpareMemory.residentBytes
        #expect(before > Self.mebibyte)
        SpareMemory.giveBack()
        #expect(SpareMemory.residentBytes > Self.mebibyte)
    }
}
