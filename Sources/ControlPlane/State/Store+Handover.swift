// One process takes the state over from another while both serve: first the old one stops writing,
// then the new one reads, and when that is proven to serve, it writes. The lock is never free.

import GRDB
import Guarding

extension Store {
    /// From now on nothing is changed here, and every change is refused; reading goes on. When this
    /// returns, no commit is under way.
    package func suspend() async {
        gate.withLock { $0.isSuspended = true }
        // Whatever was before it in the queue of the one writer has ended, or is refused there.
        let database = database
        await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { _ in continuation.resume() }
        }
    }

    /// Nobody has taken over: changes are taken again.
    package func resume() { gate.withLock { $0.isSuspended = false } }

    /// Whether changes are refused because another process is taking over.
    package var isSuspended: Bool { gate.withLock(\.isSuspended) }

    /// The lock's descriptor, for the process that takes over.
    package var lockDescriptor: Int32 { lock.descriptor }

    /// That process has it now; closing the store will not free it.
    package func passOnLock() { lock.passOn() }

    /// The other process has stopped writing: this one does from now on, with its own schema.
    package func takeOver() throws {
        lock.sign()
        try Store.prepare(database, path, options)
        resume()
        try recover()
    }
}
