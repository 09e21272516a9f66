// Rows of messages to be delivered.

import Foundation
import GRDB

enum OutboxTable {
    static func append(
        _ drafts: [OutboxDraft], at: Date, keeping limit: Int, in connection: Database
    ) throws {
        if drafts.isEmpty { return }
        let count = try Int.fetchOne(connection, sql: "SELECT count(*) FROM outbox") ?? 0
        guard count + drafts.count <= limit else {
            throw StateError.tooMany(what: "undelivered messages", limit: limit)
        }
        let now = Moment.milliseconds(at)
        let statement = try connection.cachedStatement(
            sql: "INSERT INTO outbox (topic, payload, created_at, next_attempt_at, attempts, "
                + "last_error, is_dead) VALUES (?, ?, ?, ?, 0, '', 0)")
        for draft in drafts {
            try statement.execute(arguments: [draft.topic, draft.payload, now, now])
        }
    }

    static func messages(
        _ condition: String, _ arguments: StatementArguments, limit: Int, in connection: Database
    ) throws -> [OutboxMessage] {
        try Row.fetchAll(
            connection,
            sql: "SELECT id, topic, payload, created_at, next_attempt_at, attempts, last_error, "
                + "is_dead FROM outbox WHERE \(condition) ORDER BY next_attempt_at, id "
                + "LIMIT \(limit)", arguments: arguments
        ).map { row in
            OutboxMessage(
                id: UInt64(bitPattern: row[0]), topic: row[1], payload: row[2],
                createdAt: Moment.date(row[3]), nextAttemptAt: Moment.date(row[4]),
                attempts: row[5], lastError: row[6], isDead: row[7])
        }
    }
}
