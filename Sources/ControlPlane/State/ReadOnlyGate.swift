// After a commit that could not be stored, changes are refused at once instead of each waiting for
// the same disk; now and then one is let through to see whether it is well again. A damaged
// database is not written again: that could only make it worse.

struct ReadOnlyGate: Sendable {
    private struct Fault: Sendable {
        var error: StateError
        var nextTry: ContinuousClock.Instant
    }

    private var fault: Fault?
    private let interval: Duration

    init(interval: Duration) {
        self.interval = interval
    }

    /// Why changes are refused; nil while they are taken.
    var reason: String? { fault.map { "\($0.error)" } }

    /// - Throws: `StateError.readOnly` unless it is time to try again; then for one caller only.
    mutating func admit(at now: ContinuousClock.Instant) throws {
        guard var fault else { return }
        let isBeyondRepair = if case .corrupt = fault.error { true } else { false }
        guard !isBeyondRepair, now >= fault.nextTry else {
            throw StateError.readOnly(because: "\(fault.error)")
        }
        fault.nextTry = now.advanced(by: interval)
        self.fault = fault
    }

    /// Notes how an attempt has ended; conditions that do not hold say nothing of the disk.
    mutating func ended(with error: StateError?, at now: ContinuousClock.Instant) {
        guard let error else { return fault = nil }
        guard error.isFaultOfStore else { return }
        fault = Fault(error: error, nextTry: now.advanced(by: interval))
    }
}

extension StateError {
    /// The store itself failed: the world's fault, not the answer to what was asked.
    var isFaultOfStore: Bool {
        switch self {
        case .full, .locked, .corrupt, .unusable: true
        default: false
        }
    }

    /// Nothing can be stored for now, whatever is asked: 503 rather than 4xx.
    package var isUnavailable: Bool {
        switch self {
        case .readOnly, .closed: true
        default: isFaultOfStore
        }
    }
}
