// Small shared things of the server: time since it was made, the time of day as HTTP says it, and a
// flag that only goes up.

import Foundation
import Synchronization
import Traffic

/// Monotonic time since the server was made.
struct AdminClock: Sendable {
    private let start = ContinuousClock.now

    func now() -> Instant {
        Instant(nanoseconds: (ContinuousClock.now - start).wholeNanoseconds)
    }

    /// RFC 9110 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: date)
    }
}

/// Up once, up for good.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }
}
