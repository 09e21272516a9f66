// Rows of idempotency records.

import Foundation
import GRDB

enum IdempotencyTable {
    static func begin(
        _ key: IdempotencyKey, requestHash: String, now: Date, expiresAt: Date, limit: Int,
        in connection: Database
    ) throws -> IdempotencyState {
        let moment = Moment.milliseconds(now)
        let row = try Row.fetchOne(
            connection,
            sql: "SELECT request_hash, is_done, status, headers, body FROM idempotency "
                + "WHERE token = ? AND key = ? AND expires_at > ?",
            arguments: [key.token, key.key, moment])
        if let row {
            guard row[0] == requestHash else { return .mismatch }
            guard row[1] as Bool else { return .running }
            return .done(try answer(row, to: key))
        }
        try makeRoom(limit, now: moment, in: connection)
        try connection.execute(
            sql: "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, 0, 0, '{}', x'', ?)",
            arguments: [key.token, key.key, requestHash, Moment.milliseconds(expiresAt)])
        return .begun
    }

    /// - Throws: `StateError.idempotencyLost` for a record that is not running: expired and gone,
    ///   or finished by another. The work of this transaction must not be done twice.
    static func finish(
        _ answer: IdempotentAnswer, now: Date, in connection: Database
    ) throws {
        try connection.execute(
            sql: "UPDATE idempotency SET is_done = 1, status = ?, headers = ?, body = ? "
                + "WHERE token = ? AND key = ? AND is_done = 0",
            arguments: [
                answer.status, try JSONText.encode(answer.headers), Data(answer.body),
                answer.key.token, answer.key.key,
            ])
        guard connection.changesCount == 1 else {
            throw StateError.idempotencyLost(key: answer.key.key)
        }
    }

    /// Frees the key of a request that has changed nothing.
    static func abandon(_ key: IdempotencyKey, in connection: Database) throws {
        try connection.execute(
            sql: "DELETE FROM idempotency WHERE token = ? AND key = ? AND is_done = 0",
            arguments: [key.token, key.key])
    }

    /// A record is finished by the very transaction that does its work, wherever doing it again
    /// would do it twice; of the rest (a split, a secret, a registration) the second time comes to
    /// the same. So whatever a process that has ended left running may be done.
    static func dropUnfinished(in connection: Database) throws {
        try connection.execute(sql: "DELETE FROM idempotency WHERE is_done = 0")
    }

    static func dropExpired(now: Date, in connection: Database) throws -> Int {
        try connection.execute(
            sql: "DELETE FROM idempotency WHERE expires_at <= ?",
            arguments: [Moment.milliseconds(now)])
        return connection.changesCount
    }

    private static func makeRoom(_ limit: Int, now: Int64, in connection: Database) throws {
        let count = try Int.fetchOne(connection, sql: "SELECT count(*) FROM idempotency") ?? 0
        guard count >= limit else { return }
        try connection.execute(
            sql: "DELETE FROM idempotency WHERE expires_at <= ?", arguments: [now])
        guard connection.changesCount == 0 else { return }
        try dropOldest(max(1, limit / 100), in: connection)
        guard connection.changesCount == 0 else { return }
        // Every one of them is a request at this moment.
        throw StateError.noRoom(what: "idempotency keys", limit: limit)
    }

    /// Of the token that has the most answers, so that one busy client cannot make the others'
    /// keys short-lived; several at once, so that it is not counted for each request.
    private static func dropOldest(_ count: Int, in connection: Database) throws {
        try connection.execute(
            sql: "DELETE FROM idempotency WHERE rowid IN (SELECT rowid FROM idempotency "
                + "WHERE is_done = 1 AND token = (SELECT token FROM idempotency "
                + "WHERE is_done = 1 GROUP BY token ORDER BY count(*) DESC LIMIT 1) "
                + "ORDER BY expires_at LIMIT ?)",
            arguments: [count])
    }

    private static func answer(_ row: Row, to key: IdempotencyKey) throws -> IdempotentAnswer {
        IdempotentAnswer(
            key: key, status: row[2],
            headers: try JSONText.decode(
                [String: String].self, from: row[3], of: "idempotent answer"),
            body: [UInt8](row[4] as Data))
    }
}
