// Delivering what transactions have left in the outbox: at least once, in the order of their turns.

package import Foundation
import GRDB

extension Store {
    /// Those whose turn it is.
    package func dueMessages(
        topic: String, now: Date, limit: Int = 100
    ) async throws -> [OutboxMessage] {
        let size = max(1, min(limit, StateLimits.pageSize))
        return try await read {
            try OutboxTable.messages(
                "topic = ? AND is_dead = 0 AND next_attempt_at <= ?",
                [topic, Moment.milliseconds(now)], limit: size, in: $0)
        }
    }

    /// Those that were given up.
    package func deadMessages(topic: String, limit: Int = 100) async throws -> [OutboxMessage] {
        let size = max(1, min(limit, StateLimits.pageSize))
        return try await read {
            try OutboxTable.messages(
                "topic = ? AND is_dead = 1", [topic], limit: size, in: $0)
        }
    }

    package func delivered(_ id: UInt64) async throws {
        try await write {
            try $0.execute(
                sql: "DELETE FROM outbox WHERE id = ?", arguments: [Int64(bitPattern: id)])
        }
    }

    /// - Parameter retryAt: nil gives up; so does the last of many attempts.
    package func notDelivered(
        _ id: UInt64, because reason: String, retryAt: Date?
    ) async throws {
        let error = String(reason.prefix(StateLimits.reasonBytes * 4))
        try await write { connection in
            try connection.execute(
                sql: "UPDATE outbox SET attempts = attempts + 1, last_error = ?, "
                    + "next_attempt_at = coalesce(?, next_attempt_at), "
                    + "is_dead = (? IS NULL OR attempts + 1 >= ?) WHERE id = ?",
                arguments: [
                    error, retryAt.map(Moment.milliseconds), retryAt.map(Moment.milliseconds),
                    StateLimits.outboxAttempts, Int64(bitPattern: id),
                ])
        }
    }

    /// Tries a message that was given up from the start again.
    package func replay(_ id: UInt64, now: Date) async throws {
        try await write { connection in
            try connection.execute(
                sql: "UPDATE outbox SET attempts = 0, is_dead = 0, next_attempt_at = ? "
                    + "WHERE id = ?",
                arguments: [Moment.milliseconds(now), Int64(bitPattern: id)])
            guard connection.changesCount == 1 else {
                throw StateError.missing(DocumentKey("outbox", "\(id)"))
            }
        }
    }
}
