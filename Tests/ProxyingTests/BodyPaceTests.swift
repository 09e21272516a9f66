// A request body that drips, by a clock by hand.

import Proxying
import Testing

private let second: Int64 = 1_000_000_000

@Suite struct BodyPaceTests {
    private func isEnded(every step: Int64, bytes: Int, for duration: Int64) -> Bool {
        var pace = BodyPace()
        var now = 5 * second
        while now < 5 * second + duration {
            if pace.isDripping(after: bytes, now: now) { return true }
            now += step
        }
        return false
    }

    @Test(arguments: [(second / 5, 5), (second, 99), (29 * second, 1000)] as [(Int64, Int)])
    func `too few bytes for the time are a drip`(step: Int64, bytes: Int) {
        #expect(isEnded(every: step, bytes: bytes, for: 60 * second))
    }

    @Test(arguments: [(second / 5, 25), (second, 101), (29 * second, 3000)] as [(Int64, Int)])
    func `enough bytes for the time are none`(step: Int64, bytes: Int) {
        #expect(!isEnded(every: step, bytes: bytes, for: 600 * second))
    }

    @Test func `nothing is judged before ten seconds have passed`() {
        #expect(!isEnded(every: second, bytes: 1, for: 10 * second))
    }

    @Test func `a pause that was not the client's is forgiven`() {
        var pace = BodyPace()
        var drips = [pace.isDripping(after: 10, now: second)]
        pace.forgive()
        for time in [100, 105, 110] {
            drips.append(pace.isDripping(after: 10, now: Int64(time) * second))
        }
        #expect(drips == [false, false, false, true])
    }
}
