// How fast a peer takes the bytes that wait for it, from looks at a running total now and then.
// Pure: times and totals are arguments. Kernels tell in steps (a window opens by a segment or
// more), so taking nothing for a while is judged by the idle limit alone, and the least rate from
// one step to the next, however long that took.

package struct ReadingPace {
    package enum Verdict: Equatable {
        case lookAgain(at: Int64)
        case tooSlow
    }

    /// The stall that is being judged, by its beginning.
    private var stall = Int64.min
    /// The total at the last look, and when it last was another.
    private var taken: Int64 = 0
    private var progressAt: Int64 = 0
    /// Of the window in which the rate is measured.
    private var windowStarted: Int64 = 0
    private var windowTaken: Int64 = 0

    package init() {}

    /// One look during a stall that began at `stalledAt`. `taken` is a running total from any
    /// beginning; an `idleLimit` of 0 is none.
    package mutating func look(
        stalledAt: Int64, taken total: Int64, now: Int64, idleLimit: Int64
    ) -> Verdict {
        if stall != stalledAt {
            begin(stalledAt, total, now, idleLimit)
        } else if total != taken {
            taken = total
            progressAt = now
        } else if idleLimit > 0, now >= progressAt + idleLimit {
            return .tooSlow
        }
        if now >= windowStarted + Limits.slowReaderNanoseconds, total != windowTaken {
            if isSlow(now) { return .tooSlow }
            windowStarted = now
            windowTaken = total
        }
        let next = now + Limits.slowReaderNanoseconds
        return .lookAgain(at: idleLimit > 0 ? min(next, progressAt + idleLimit) : next)
    }

    /// What was taken before the first look is unknown: an early look may take it for nothing, a
    /// late one must not.
    private mutating func begin(
        _ stalledAt: Int64, _ total: Int64, _ now: Int64, _ idleLimit: Int64
    ) {
        let start = now - stalledAt <= idleLimit / 2 ? stalledAt : now
        stall = stalledAt
        taken = total
        progressAt = start
        windowStarted = start
        windowTaken = total
    }

    private func isSlow(_ now: Int64) -> Bool {
        let due = Limits.slowReaderBytesPerSecond * (now - windowStarted) / 1_000_000_000
        return taken - windowTaken < due
    }
}
