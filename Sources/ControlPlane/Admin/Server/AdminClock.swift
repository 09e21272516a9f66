// Small shared things of the server: time since it was made, and a flag that only goes up.

import Synchronization
import Traffic

/// Monotonic time since the server was made.
struct AdminClock: Sendable {
    private let start = ContinuousClock.now

    func now() -> Instant {
        Instant(nanoseconds: (ContinuousClock.now - start).wholeNanoseconds)
    }
}

/// Up once, up for good.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }
}
