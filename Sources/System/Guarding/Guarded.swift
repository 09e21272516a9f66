// A value that threads share, reached under a lock only. `Synchronization.Mutex` would do the same,
// but ThreadSanitizer cannot see its lock and takes every use for a race.

import Foundation

package final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package func withLock<Result, Failure>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
