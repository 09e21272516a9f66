// A point on the monotonic clock, as a plain number. Both planes and the simulator pass it in;
// nothing in the pure modules reads a clock of its own.

/// Nanoseconds since an arbitrary start (CLOCK_MONOTONIC in the running gateway).
package struct Instant: Sendable, Hashable, Comparable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Nanoseconds from `earlier` to `self`; negative if `earlier` is the later one.
    package func nanoseconds(since earlier: Instant) -> Int64 {
        nanoseconds &- earlier.nanoseconds
    }

    package func advanced(byNanoseconds amount: Int64) -> Instant {
        Instant(nanoseconds: nanoseconds &+ amount)
    }
}

extension Duration {
    /// The whole of a duration in nanoseconds, clamped to what 64 bits hold (292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if scaled.overflow { return seconds < 0 ? .min : .max }
        let sum = scaled.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sum.overflow ? (seconds < 0 ? .min : .max) : sum.partialValue
    }
}
