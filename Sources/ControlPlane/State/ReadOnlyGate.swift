// After a commit that could not be stored, changes are refused at once instead of each waiting for
// the same disk or lock, but for one at a time, which finds out whether it is well again. A damaged
// database is not written again: that could only make it worse. While another process takes over,
// nothing is.

package struct ReadOnlyGate: Sendable {
    /// Leave to try a commit.
    package struct Admission: Sendable {
        /// The one that finds out.
        fileprivate var isProbe: Bool
    }

    private var fault: StateError?
    private var isProbing = false
    /// Another process writes now, or reads what must not change.
    package var isSuspended = false

    package init() {}

    /// Why changes are refused; nil while they are taken.
    package var reason: String? { fault.map { "\($0)" } }

    /// - Throws: `StateError.readOnly` while somebody else finds out.
    package mutating func admit() throws -> Admission {
        if isSuspended { throw StateError.handingOver }
        guard let fault else { return Admission(isProbe: false) }
        let isBeyondRepair = if case .corrupt = fault { true } else { false }
        guard !isBeyondRepair, !isProbing else { throw refusal(fault) }
        isProbing = true
        return Admission(isProbe: true)
    }

    /// When it is the commit's turn: those admitted before the fault need not meet it, too.
    package func begin(_ admission: Admission) throws {
        if isSuspended { throw StateError.handingOver }
        if let fault, !admission.isProbe { throw refusal(fault) }
    }

    /// Notes how a commit has ended; a condition that did not hold says nothing of the disk.
    package mutating func end(_ admission: Admission, with error: StateError?) {
        if admission.isProbe { isProbing = false }
        guard let error else { return fault = nil }
        if error.isFaultOfStore { fault = error }
    }

    /// Closes it for a fault that no commit has met.
    package mutating func condemn(_ error: StateError) {
        if error.isFaultOfStore { fault = error }
    }

    private func refusal(_ fault: StateError) -> StateError {
        StateError.readOnly(because: "\(fault)")
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
        case .readOnly, .closed, .handingOver: true
        default: isFaultOfStore
        }
    }
}
