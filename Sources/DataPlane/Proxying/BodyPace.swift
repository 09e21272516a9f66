// How fast a request's body comes: a body that never pauses for long, yet drips, holds a connection
// and a place at a replica for as long as it likes. Pure: the time is an argument.

package struct BodyPace {
    /// 0 until the first bytes have come, and after a pause that was not the client's.
    private var windowStarted: Int64 = 0
    private var windowBytes: Int64 = 0

    package init() {}

    /// Counts bytes that came; true when they and those before them were too few for the time.
    package mutating func isDripping(after count: Int, now: Int64) -> Bool {
        guard windowStarted > 0 else {
            windowStarted = now
            return false
        }
        windowBytes += Int64(count)
        let nanoseconds = now - windowStarted
        guard nanoseconds >= Limits.slowBodyNanoseconds else { return false }
        let isSlow = windowBytes < Limits.slowBodyBytesPerSecond * nanoseconds / 1_000_000_000
        windowStarted = now
        windowBytes = 0
        return isSlow
    }

    /// The client was not listened to for a while: what it did not send counts against nobody.
    package mutating func forgive() {
        windowStarted = 0
        windowBytes = 0
    }
}
