// When a replica that ended is started again, by a clock turned by hand.

import Replicas
import Testing

@Suite struct RestartPolicyTests {
    private let begin = ContinuousClock.now

    private func time(_ seconds: Double) -> ContinuousClock.Instant {
        begin.advanced(by: .seconds(seconds))
    }

    @Test func `pauses double from one second to a minute`() {
        var policy = RestartPolicy()
        var pauses: [Duration] = []
        for attempt in 0..<8 {
            // So far apart that the start budget is never spent.
            let now = time(Double(attempt) * 200)
            policy.started(at: now)
            pauses.append(policy.ended(at: now, chance: 0))
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(!policy.isCrashLooping)
    }

    @Test func `jitter takes up to a fifth off, never adds`() {
        var policy = RestartPolicy()
        policy.started(at: begin)
        #expect(policy.ended(at: begin, chance: 0.5) == .seconds(0.9))
    }

    @Test func `five starts in ten minutes are a crash loop at the longest pause`() {
        var policy = RestartPolicy()
        for attempt in 1...5 {
            policy.started(at: time(Double(attempt)))
            let pause = policy.ended(at: time(Double(attempt)), chance: 0)
            #expect(policy.isCrashLooping == (attempt == 5))
            if attempt == 5 { #expect(pause == .seconds(60)) }
        }
    }

    @Test func `five minutes ready forget what was before`() {
        var policy = RestartPolicy()
        for attempt in 1...6 {
            policy.started(at: time(Double(attempt)))
            _ = policy.ended(at: time(Double(attempt)), chance: 0)
        }
        policy.started(at: time(60))
        policy.becameReady(at: time(61))

        #expect(policy.ended(at: time(361), chance: 0) == .seconds(1))
        #expect(!policy.isCrashLooping)
    }

    @Test func `less than five minutes ready forget nothing`() {
        var policy = RestartPolicy()
        policy.started(at: begin)
        _ = policy.ended(at: begin, chance: 0)
        policy.started(at: time(1))
        policy.becameReady(at: time(2))

        #expect(policy.ended(at: time(301), chance: 0) == .seconds(2))
    }
}
