// Points in time as plain numbers, and durations without floating point.

import Testing
import Traffic

@Suite struct InstantTests {
    @Test func `instants order and differ by nanoseconds`() {
        let early = Instant(nanoseconds: 5)
        let late = early.advanced(byNanoseconds: 7)
        #expect(early < late)
        #expect(late.nanoseconds(since: early) == 7)
        #expect(early.nanoseconds(since: late) == -7)
    }

    @Test(
        arguments: [
            (.seconds(3), 3_000_000_000), (.milliseconds(-2), -2_000_000), (.zero, 0),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min), (.nanoseconds(1), 1),
        ] as [(Duration, Int64)])
    func `a duration is whole nanoseconds, clamped`(duration: Duration, nanoseconds: Int64) {
        #expect(duration.wholeNanoseconds == nanoseconds)
    }
}
