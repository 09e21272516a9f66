// A client that lags, looked at now and then by a clock by hand: what takes nothing ends at the
// idle limit, what takes too little ends at the least rate, and what gets on is left alone.

import Proxying
import Testing

private let second: Int64 = 1_000_000_000
private let limit = 30 * second

@Suite struct ReadingPaceTests {
    /// Looks when told to, at a client that takes `perStep` bytes every `step` nanoseconds; the
    /// time at which it was found too slow, or nil.
    private func end(
        step: Int64, perStep: Int64, idleLimit: Int64, until last: Int64 = 600 * second
    ) -> Int64? {
        var pace = ReadingPace()
        var now = second / 10
        while now < last {
            let taken = now / step * perStep
            switch pace.look(stalledAt: 0, taken: taken, now: now, idleLimit: idleLimit) {
            case .tooSlow: return now
            case .lookAgain(let next):
                #expect(next > now)
                now = next
            }
        }
        return nil
    }

    @Test(arguments: [1, 5, 30, 120] as [Int64])
    func `a client that takes nothing ends at the idle limit`(seconds: Int64) {
        let idle = seconds * second
        #expect(end(step: 10_000 * second, perStep: 0, idleLimit: idle) == idle)
    }

    @Test func `without an idle limit a client may take nothing for ever`() {
        #expect(end(step: 10_000 * second, perStep: 0, idleLimit: 0) == nil)
    }

    @Test(arguments: [(1, 50), (1, 99), (5, 300), (25, 1160)] as [(Int64, Int64)])
    func `a client that drips is ended although it never pauses`(step: Int64, bytes: Int64) throws {
        let ended = try #require(end(step: step * second, perStep: bytes, idleLimit: limit))
        #expect(ended >= 10 * second && ended <= 60 * second)
    }

    @Test(arguments: [(1, 200), (5, 1000), (10, 1400), (25, 64_000)] as [(Int64, Int64)])
    func `a slow client that gets on is left alone`(step: Int64, bytes: Int64) {
        #expect(end(step: step * second, perStep: bytes, idleLimit: limit) == nil)
    }

    @Test func `every byte before the limit counts as getting on`() {
        #expect(end(step: 3 * second, perStep: 3000, idleLimit: 4 * second) == nil)
        #expect(end(step: 5 * second, perStep: 5000, idleLimit: 4 * second) == 4 * second)
    }

    @Test func `a new stall is judged from its own beginning`() {
        var pace = ReadingPace()
        _ = pace.look(stalledAt: 0, taken: 7, now: second / 10, idleLimit: limit)
        let later = pace.look(
            stalledAt: 40 * second, taken: 7, now: 40 * second + 1, idleLimit: limit)
        #expect(later == .lookAgain(at: 50 * second + 1))
    }

    @Test func `a first look that comes late ends nobody early`() {
        var pace = ReadingPace()
        let now = 29 * second
        let first = pace.look(stalledAt: 0, taken: 7, now: now, idleLimit: limit)
        #expect(first == .lookAgain(at: now + 10 * second))
        let still = pace.look(stalledAt: 0, taken: 7, now: now + limit, idleLimit: limit)
        #expect(still == .tooSlow)
    }
}
