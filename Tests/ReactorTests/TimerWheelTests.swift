// The wheel against its promises: never early, a tick late at most, each timer once, stale handles
// harmless; and against a model too simple to be wrong.

import Fixtures
import Reactor
import Testing

private let millisecond: Int64 = 1_000_000
private let second: Int64 = 1_000_000_000
private let lateness: Int64 = 64 * millisecond

@Suite struct TimerWheelTests {
    @Test func `an empty wheel lets the loop sleep for ever`() {
        var wheel = TimerWheel(now: 5 * second)
        #expect(wheel.millisecondsUntilNext(now: 5 * second) == -1)
        let popped = wheel.popExpired(now: 500 * second)
        #expect(popped == nil)
    }

    @Test(arguments: [0, 1, 33, 50, 1_000, 30_000, 137_000, 140_000, 3_600_000, 86_400_000])
    func `a timer fires on time when the loop sleeps as told`(milliseconds: Int64) {
        let start = 7 * second + 12_345
        let due = start + milliseconds * millisecond
        var wheel = TimerWheel(now: start)
        var timer = TimerID.none
        wheel.set(&timer, at: due, token: 9)
        var now = start
        var wakes = 0
        while true {
            let wait = wheel.millisecondsUntilNext(now: now)
            #expect(wait >= 0)
            now += Int64(wait) * millisecond
            wakes += 1
            if let token = wheel.popExpired(now: now) {
                #expect(token == 9)
                break
            }
        }
        #expect(now >= due && now <= due + lateness)
        #expect(wakes <= 2 + milliseconds / 130_000)
        #expect(wheel.count == 0 && wheel.millisecondsUntilNext(now: now) == -1)
    }

    @Test func `a timer in the past fires at once`() {
        var wheel = TimerWheel(now: 10 * second)
        var timer = TimerID.none
        wheel.set(&timer, at: 3 * second, token: 1)
        #expect(wheel.millisecondsUntilNext(now: 10 * second) == 0)
        let popped = wheel.popExpired(now: 10 * second)
        #expect(popped == 1)
    }

    @Test func `a timer moved later does not fire at its first time`() {
        var wheel = TimerWheel(now: 0)
        var timer = TimerID.none
        wheel.set(&timer, at: 1 * second, token: 1)
        let first = timer
        wheel.set(&timer, at: 5 * second, token: 1)
        #expect(timer == first)
        let early = wheel.popExpired(now: 5 * second - 1)
        #expect(early == nil)
        let due = wheel.popExpired(now: 5 * second + lateness)
        #expect(due == 1)
    }

    @Test func `a timer moved earlier fires at its new time`() {
        var wheel = TimerWheel(now: 0)
        var timer = TimerID.none
        wheel.set(&timer, at: 60 * second, token: 1)
        wheel.set(&timer, at: 1 * second, token: 2)
        #expect(wheel.count == 1)
        let due = wheel.popExpired(now: 1 * second + lateness)
        #expect(due == 2)
    }

    @Test func `sooner moves a timer to an earlier time only, and starts one that is none`() {
        var wheel = TimerWheel(now: 0)
        var timer = TimerID.none
        wheel.setSooner(&timer, at: 60 * second, token: 1)
        wheel.setSooner(&timer, at: 90 * second, token: 2)
        wheel.setSooner(&timer, at: 1 * second, token: 3)
        wheel.setSooner(&timer, at: 2 * second, token: 4)
        #expect(wheel.count == 1)
        let due = wheel.popExpired(now: 1 * second + lateness)
        #expect(due == 3)
    }

    @Test func `a cancelled timer never fires, and cancelling is final`() {
        var wheel = TimerWheel(now: 0)
        var timer = TimerID.none
        wheel.set(&timer, at: second, token: 1)
        var copy = timer
        wheel.cancel(&timer)
        #expect(timer == .none && wheel.count == 0)
        var other = TimerID.none
        wheel.set(&other, at: second, token: 2)
        wheel.cancel(&copy)
        let popped = wheel.popExpired(now: 2 * second)
        #expect(popped == 2)
    }

    @Test func `the handle of a fired timer starts a new one`() {
        var wheel = TimerWheel(now: 0)
        var timer = TimerID.none
        wheel.set(&timer, at: second, token: 1)
        let popped = wheel.popExpired(now: 2 * second)
        #expect(popped == 1)
        var other = TimerID.none
        wheel.set(&other, at: 3 * second, token: 2)
        let stale = wheel.isLive(timer)
        #expect(!stale)
        wheel.set(&timer, at: 4 * second, token: 3)
        let first = wheel.popExpired(now: 5 * second)
        let second = wheel.popExpired(now: 5_000_000_000)
        #expect([first, second] == [2, 3])
    }

    @Test func `a loop that was held up for an hour still finds each timer once`() {
        var wheel = TimerWheel(now: 0)
        for token in 1...1000 as ClosedRange<UInt64> {
            var timer = TimerID.none
            wheel.set(&timer, at: Int64(token) * 3 * second, token: token)
        }
        var popped: [UInt64] = []
        while let token = wheel.popExpired(now: 3600 * second) { popped.append(token) }
        #expect(popped.sorted() == Array(1...1000))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `the wheel agrees with a list of deadlines`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var now = Int64(seed) * 17 * second + 3
        var wheel = TimerWheel(now: now)
        var timers = [TimerID](repeating: .none, count: 200)
        var due: [UInt64: Int64] = [:]
        for step in 0..<4000 {
            let index = Int(random.next() % 200)
            switch random.next() % 8 {
            case 0:
                wheel.cancel(&timers[index])
                due[UInt64(index)] = nil
            case 1...5:
                let far: Int64 = random.next() % 10 == 0 ? 400 : 2
                let at = now + Int64(random.next() % UInt64(far * second)) - 10 * millisecond
                wheel.set(&timers[index], at: at, token: UInt64(index))
                due[UInt64(index)] = at
            default:
                now += Int64(random.next() % UInt64(200 * millisecond))
                while let token = wheel.popExpired(now: now) {
                    let at = due.removeValue(forKey: token)
                    #expect(at.map { $0 <= now } == true, "seed \(seed), step \(step)")
                }
                let late = due.values.min().map { $0 + lateness <= now } ?? false
                #expect(!late, "seed \(seed), step \(step): a timer was left behind")
            }
            let count = wheel.count
            #expect(count == due.count, "seed \(seed), step \(step)")
            let wait = Int64(wheel.millisecondsUntilNext(now: now))
            let next = due.values.min()
            #expect(next.map { now + wait * millisecond <= $0 + lateness } ?? (wait == -1))
        }
    }
}
