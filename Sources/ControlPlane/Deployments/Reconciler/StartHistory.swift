// When a replica that ended is started again: 1 s, doubled each time up to 60 s, with jitter, from
// the beginning after five minutes ready. Five starts in ten minutes are a crash loop: it is said,
// and trying goes on at the longest pause. Stored with the replica, so a restart of Penstock is no
// amnesty.

package import Foundation

package struct StartHistory: Sendable, Equatable, Codable {
    static let longestPause: TimeInterval = 60
    static let settledSeconds: TimeInterval = 300
    static let budget = 5
    static let windowSeconds: TimeInterval = 600

    private var failures = 0
    /// Newest last, at most `budget`.
    private var starts: [Date] = []
    private var readySince: Date?

    package init() {}

    /// The start budget is spent.
    package private(set) var isCrashLooping = false

    package mutating func started(at now: Date) {
        starts.removeAll { now.timeIntervalSince($0) > Self.windowSeconds }
        starts.append(now)
        if starts.count > Self.budget { starts.removeFirst() }
        readySince = nil
    }

    package mutating func becameReady(at now: Date) {
        readySince = now
        isCrashLooping = false
    }

    /// The pause before the next start.
    ///
    /// - Parameter chance: 0..<1; takes up to a fifth off, so that replicas that died together do
    ///   not start together.
    package mutating func ended(at now: Date, chance: Double) -> TimeInterval {
        if let readySince, now.timeIntervalSince(readySince) >= Self.settledSeconds {
            failures = 0
            starts.removeAll()
        }
        readySince = nil
        starts.removeAll { now.timeIntervalSince($0) > Self.windowSeconds }
        isCrashLooping = starts.count >= Self.budget
        let pause = isCrashLooping ? Self.longestPause : TimeInterval(1 << failures)
        failures = min(failures + 1, 6)
        return min(pause, Self.longestPause) * (1 - chance / 5)
    }

    /// Ready for at least so long.
    package func isReady(for least: TimeInterval, at now: Date) -> Bool {
        readySince.map { now.timeIntervalSince($0) >= least } ?? false
    }

    /// When it will have been ready for so long.
    func moment(ofReadyFor least: TimeInterval) -> Date? {
        readySince?.addingTimeInterval(least)
    }
}
