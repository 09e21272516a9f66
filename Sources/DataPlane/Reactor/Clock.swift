// The two clocks. Only the loops' owners read them; everything below gets the time as an argument.

internal import CLinux

package enum Clock {
    /// Monotonic nanoseconds since an arbitrary start.
    package static func now() -> Int64 {
        penstock_monotonic_nanoseconds()
    }

    /// Milliseconds since 1970 by the wall clock; it may jump.
    package static func wallMilliseconds() -> Int64 {
        penstock_wall_milliseconds()
    }
}
