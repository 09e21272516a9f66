// The round that keeps the directory from growing: called about once a minute. Each step is a small
// transaction of its own, so that no commit waits long, and a fault in one is told after the rest.

package import Foundation
import GRDB

/// What a round of upkeep let go.
package struct UpkeepReport: Sendable, Equatable {
    package var events = 0
    package var idempotencyRecords = 0
    package var tombstones = 0
    package var operations = 0
    package var tokens = 0
    package var deadMessages = 0
    package var auditEntries = 0
    package var pagesFreed = 0
}

extension Store {
    package func upkeep(now: Date) async throws -> UpkeepReport {
        try await checkLargeFile()
        var report = UpkeepReport()
        let retention = retention
        try await write { try ChangeLog.cut(retention, now: now, in: $0) }
        report.events = try await write { try Upkeep.events(retention, now: now, in: $0) }
        report.idempotencyRecords = try await write {
            try IdempotencyTable.dropExpired(now: now, in: $0)
        }
        report.tombstones = try await write { try Upkeep.tombstones(retention, now: now, in: $0) }
        report.operations = try await dropOperations(now: now)
        report.tokens = try await write { try Upkeep.tokens(retention, now: now, in: $0) }
        report.deadMessages = try await write {
            let oldest = Moment.milliseconds(now) - retention.operationAgeSeconds * 1000
            return try OutboxTable.dropDead(before: oldest, in: $0)
        }
        report.auditEntries = try await write { try Upkeep.audit(retention, now: now, in: $0) }
        report.pagesFreed = try await giveBack()
        try await signAudit(now: now)
        return report
    }

    /// Finished operations are documents: watchers see them go.
    private func dropOperations(now: Date) async throws -> Int {
        let retention = retention
        let names = try await read { try Upkeep.finishedOperations(retention, now: now, in: $0) }
        for start in stride(from: 0, to: names.count, by: Upkeep.piece) {
            var transaction = Transaction(at: now, actor: "system:upkeep")
            let piece = names[start..<min(start + Upkeep.piece, names.count)]
            transaction.edits = piece.map { .purge(DocumentKey(.operation, $0), .any) }
            try await commit(transaction)
        }
        return names.count
    }

    /// Empty pages go back to the file system, and a log that readers kept long is written back.
    private func giveBack() async throws -> Int {
        let before = try await read { try Int.fetchOne($0, sql: "PRAGMA freelist_count") ?? 0 }
        if before > 0 {
            try await write { connection in
                let sql = "PRAGMA incremental_vacuum(\(StateLimits.pagesFreedPerRound))"
                // Each step of the statement frees one page.
                let cursor = try Row.fetchCursor(connection, sql: sql)
                while try cursor.next() != nil {}
            }
        }
        let after = try await read { try Int.fetchOne($0, sql: "PRAGMA freelist_count") ?? 0 }
        if walBytes > StateLimits.walBytes { try await truncateLog() }
        return max(0, before - after)
    }

    /// The log beside the database.
    var walBytes: Int64 { StateDirectory.bytes(of: path + "-wal") }

    private func truncateLog() async throws {
        let (database, path) = (database, path)
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Void, any Error>) in
            database.asyncWriteWithoutTransaction { connection in
                do {
                    try connection.checkpoint(.truncate)
                    continuation.resume()
                } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
                    // A reader is still in it; the next round tries again.
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: Store.translated(error, path))
                }
            }
        }
    }
}
