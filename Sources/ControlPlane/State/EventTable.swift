// Rows of events. A repetition moves its row to the end with a new id, so that ids order events by
// when they were last seen, and letting the oldest go is letting the lowest ids go.

import Foundation
import GRDB

enum EventTable {
    static func record(
        _ draft: EventDraft, at: Date, actor: String, keeping limit: Int, in connection: Database
    ) throws {
        let message = shortened(draft.message)
        let now = Moment.milliseconds(at)
        let same = try connection.cachedStatement(
            sql: "SELECT id, count, first_at FROM event WHERE kind = ? AND name = ? AND type = ? "
                + "AND reason = ? AND message = ? AND actor = ? AND last_at >= ? "
                + "ORDER BY id DESC LIMIT 1")
        let found = try Row.fetchOne(
            same,
            arguments: [
                draft.key.kind.text, draft.key.name, draft.type.rawValue, draft.reason, message,
                actor, now - StateLimits.eventWindowSeconds * 1000,
            ])
        var count = 1
        var first = now
        if let found {
            count = 1 + (found[1] as Int)
            first = min(now, found[2] as Int64)
            try connection.cachedStatement(sql: "DELETE FROM event WHERE id = ?")
                .execute(arguments: [found[0] as Int64])
        }
        try connection.cachedStatement(
            sql: "INSERT INTO event (kind, name, type, reason, message, actor, count, first_at, "
                + "last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            draft.key.kind.text, draft.key.name, draft.type.rawValue, draft.reason, message, actor,
            count, first, now,
        ])
        if found == nil { try trim(draft.key, keeping: limit, in: connection) }
    }

    private static func trim(
        _ key: DocumentKey, keeping limit: Int, in connection: Database
    ) throws {
        try connection.cachedStatement(
            sql: "DELETE FROM event WHERE kind = ?1 AND name = ?2 AND id <= (SELECT id FROM event "
                + "WHERE kind = ?1 AND name = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)"
        ).execute(arguments: [key.kind.text, key.name, limit])
    }

    static func page(
        _ query: EventQuery, before id: Int64, size: Int, in connection: Database
    ) throws -> [Event] {
        var conditions = ["id < ?"]
        var arguments: StatementArguments = [id]
        if let kind = query.kind {
            conditions.append("kind = ?")
            arguments += [kind.text]
        }
        if let name = query.name {
            conditions.append("name = ?")
            arguments += [name]
        }
        if let type = query.type {
            conditions.append("type = ?")
            arguments += [type.rawValue]
        }
        let statement = try connection.cachedStatement(
            sql: "SELECT id, kind, name, type, reason, message, actor, count, first_at, last_at "
                + "FROM event WHERE \(conditions.joined(separator: " AND ")) "
                + "ORDER BY id DESC LIMIT \(size)")
        return try Row.fetchAll(statement, arguments: arguments).map(event)
    }

    private static func event(_ row: Row) -> Event {
        Event(
            id: UInt64(bitPattern: row[0]), kind: row[1], name: row[2],
            type: EventType(rawValue: row[3]) ?? .warning, reason: row[4], message: row[5],
            actor: row[6], count: row[7], firstAt: Moment.date(row[8]),
            lastAt: Moment.date(row[9]))
    }

    /// What a replica said last may be long; the beginning is what names the fault.
    private static func shortened(_ message: String) -> String {
        guard message.utf8.count > StateLimits.messageBytes else { return message }
        var text = Substring(message)
        text = text.prefix(StateLimits.messageBytes)
        while text.utf8.count > StateLimits.messageBytes - 3 { text.removeLast() }
        return text + "…"
    }
}
