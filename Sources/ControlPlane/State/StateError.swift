// Why something is not remembered. Conditions that do not hold are answers, not faults; the faults
// name the file and what to do about it, for they are read by an operator at three in the morning.

package import Foundation

package enum StateError: Error, Sendable, Equatable {
    // The state directory.

    /// Another process has the state directory; `holder` is what it wrote into the lock file.
    case inUse(file: String, holder: String)
    case corrupt(file: String, reason: String)
    /// Written by a later version of Penstock.
    case tooNew(file: String)
    /// A signed checkpoint beside it reached further: the database was lost, emptied, or put back
    /// to what it was.
    case behind(file: String, entries: UInt64, checkpoint: String, vouched: UInt64)
    case full(file: String)
    /// Another program holds a lock on the database for longer than we wait.
    case locked(file: String)
    case unusable(file: String, reason: String)
    case malformedSecret(file: String, expected: String)
    /// Sealed with another key than `secrets.key`, or moved from where it was sealed.
    case sealed(what: String)
    /// A commit has failed; changes are refused until one succeeds again.
    case readOnly(because: String)
    /// Another process is taking over, and nothing may change meanwhile.
    case handingOver
    /// The file is no backup of Penstock's.
    case notABackup(file: String, reason: String)
    /// There is a file already where one was to be written.
    case wouldReplace(file: String)

    /// The audit log does not have the entry that a signed checkpoint vouches for.
    case auditBroken(id: UInt64)

    // Conditions.

    /// A create, and there is one of this name.
    case exists(DocumentKey, version: UInt64)
    case missing(DocumentKey)
    /// Somebody has changed it since.
    case stale(DocumentKey, expected: UInt64, found: UInt64)
    /// Another operation is at work on the target.
    case operationActive(target: DocumentKey, operation: String)
    case leaseHeld(name: String, holder: String, until: Date)
    /// The lease has passed to somebody else.
    case fenced(lease: String)
    /// The idempotency record is not this request's any more; its work must not be done.
    case idempotencyLost(key: String)
    /// A commit whose generation is not above the last one stored: somebody else has committed.
    case staleGeneration(stored: UInt64, offered: UInt64)

    // Watching and paging.

    /// The changes since are no longer known, up to `oldest`: list, then watch.
    case compacted(since: UInt64, oldest: UInt64)
    case badPageToken

    // What was asked for.

    case invalid(what: String, reason: String)
    case tooLarge(what: String, bytes: Int, limit: Int)
    case tooMany(what: String, limit: Int)
    /// What is kept has reached its limit; nothing is wrong with what was asked for.
    case noRoom(what: String, limit: Int)
    /// What is stored has not the shape its reader expects.
    case unreadable(what: String, reason: String)
    /// The store was closed while somebody waited.
    case closed
}

extension StateError {
    /// Somebody else was faster: read again, and try again.
    package var isOvertaken: Bool {
        switch self {
        case .exists, .missing, .stale: true
        default: false
        }
    }
}
