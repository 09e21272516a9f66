// When a replica that ended is started again: 1 s, doubled each time up to 60 s, with jitter, from
// the beginning after five minutes ready. Five starts in ten minutes are a crash loop: it is said,
// and trying goes on at the longest pause. Pure: time and chance are arguments.

package struct RestartPolicy: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    static let longestPause = 60.0
    static let settled: Duration = .seconds(300)
    static let budget = 5
    static let window: Duration = .seconds(600)

    private var failures = 0
    private var starts: [Instant] = []
    private var readySince: Instant?

    package init() {}

    /// The start budget is spent.
    package private(set) var isCrashLooping = false

    package mutating func started(at now: Instant) {
        starts.removeAll { now - $0 > Self.window }
        starts.append(now)
        if starts.count > Self.budget { starts.removeFirst() }
        readySince = nil
    }

    package mutating func becameReady(at now: Instant) {
        readySince = now
    }

    /// The pause before the next start.
    ///
    /// - Parameter chance: 0..<1; takes up to a fifth off the pause, so that replicas that died
    ///   together do not start together.
    package mutating func ended(at now: Instant, chance: Double) -> Duration {
        if let readySince, now - readySince >= Self.settled {
            failures = 0
            starts.removeAll()
        }
        readySince = nil
        starts.removeAll { now - $0 > Self.window }
        isCrashLooping = starts.count >= Self.budget
        let pause = isCrashLooping ? Self.longestPause : Double(1 << failures)
        failures = min(failures + 1, 6)
        return .seconds(min(pause, Self.longestPause) * (1 - chance / 5))
    }
}
