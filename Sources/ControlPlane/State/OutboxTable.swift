// Rows of messages to be delivered.

import Foundation
import GRDB

enum OutboxTable {
    static func append(
        _ drafts: [OutboxDraft], at: Date, keeping limit: Int, in connection: Database
    ) throws {
        if drafts.isEmpty { return }
        try makeRoom(for: drafts.count, limit, in: connection)
        let now = Moment.milliseconds(at)
        let statement = try connection.cachedStatement(
            sql: "INSERT INTO outbox (topic, payload, created_at, next_attempt_at, attempts, "
                + "last_error, is_dead) VALUES (?, ?, ?, ?, 0, '', 0)")
        for draft in drafts {
            try statement.execute(arguments: [draft.topic, draft.payload, now, now])
        }
    }

    /// The oldest of those that were given up make room for those that are not.
    private static func makeRoom(
        for new: Int, _ limit: Int, in connection: Database
    ) throws {
        let count = try Int.fetchOne(connection, sql: "SELECT count(*) FROM outbox") ?? 0
        let excess = count + new - limit
        guard excess > 0 else { return }
        try connection.execute(
            sql: "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE is_dead = 1 "
                + "ORDER BY id LIMIT ?)", arguments: [excess])
        guard connection.changesCount == excess else {
            throw StateError.noRoom(what: "undelivered messages", limit: limit)
        }
    }

    /// Those given up so long ago that nobody will replay them.
    static func dropDead(before oldest: Int64, in connection: Database) throws -> Int {
        try connection.execute(
            sql: "DELETE FROM outbox WHERE is_dead = 1 AND created_at < ?", arguments: [oldest])
        return connection.changesCount
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
