// Reading documents, and the one way to change them.

import Foundation
import GRDB

extension Store {
    package func document(_ key: DocumentKey) async throws -> Document? {
        try await read { try DocumentTable.live(key, in: $0) }
    }

    /// What is left of the last deleted document of this name; nil when it was purged.
    package func tombstone(_ key: DocumentKey) async throws -> Document? {
        try await read { try DocumentTable.newestTombstone(key, in: $0) }
    }

    /// Of the last change; 0 before the first.
    package func sequence() async throws -> UInt64 {
        try await read { UInt64(bitPattern: try Counters.value(.sequence, in: $0)) }
    }

    @discardableResult
    package func commit(_ transaction: Transaction) async throws -> Commit {
        try Bounds.check(transaction)
        let retention = retention
        let (commit, changed) = try await write { connection in
            try Store.perform(transaction, retention, in: connection)
        }
        hub.publish(changed)
        return commit
    }

    static func perform(
        _ transaction: Transaction, _ retention: Retention, in connection: Database
    ) throws -> (Commit, [DocumentKind: UInt64]) {
        var generator = SystemRandomNumberGenerator()
        var writer = TransactionWriter(transaction, retention, connection)
        let commit = try writer.perform(using: &generator)
        return (commit, writer.changed)
    }
}
