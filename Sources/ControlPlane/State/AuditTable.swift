// Rows of the audit log. They are only added at one end and let go at the other; where the chain
// begins after that is kept in a counter and a setting.

import Foundation
import GRDB

enum AuditTable {
    private static let columns = """
        id, at, actor, action, kind, name, before_hash, after_hash, request_id, detail, \
        previous_hash, hash
        """

    static func append(
        _ draft: AuditDraft, at: Date, actor: String, before: String, after: String,
        in connection: Database
    ) throws {
        let detail = try JSONText.encode(draft.detail)
        try Bounds.bytes(detail.utf8.count, "audit detail", StateLimits.auditDetailBytes)
        let (id, previous) = try last(in: connection)
        var link = AuditChain.Link(
            id: id + 1, at: Moment.milliseconds(at), actor: actor, action: draft.action,
            kind: draft.target.kind.text, name: draft.target.name, before: before, after: after,
            requestID: draft.requestID, detail: detail, previousHash: previous, hash: [])
        link.hash = link.computedHash
        try connection.cachedStatement(
            sql: "INSERT INTO audit (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            link.id, link.at, link.actor, link.action, link.kind, link.name, link.before,
            link.after, link.requestID, link.detail, Data(link.previousHash), Data(link.hash),
        ])
    }

    /// The end of the chain: where the next entry goes.
    static func last(in connection: Database) throws -> (id: Int64, hash: [UInt8]) {
        let statement = try connection.cachedStatement(
            sql: "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")
        if let row = try Row.fetchOne(statement) { return (row[0], [UInt8](row[1] as Data)) }
        return try base(in: connection)
    }

    /// What the oldest entry follows: the beginning, or the last entry that was let go.
    static func base(in connection: Database) throws -> (id: Int64, hash: [UInt8]) {
        let id = try Counters.value(.auditBase, in: connection)
        guard id > 0 else { return (0, AuditChain.beginning) }
        let text = try String.fetchOne(
            connection, sql: "SELECT value FROM setting WHERE key = ?", arguments: [baseHashKey])
        guard let hash = text.flatMap(Hexadecimal.bytes) else { return (id, []) }
        return (id, hash)
    }

    /// Lets go of the oldest entries, up to and including `id`; the chain goes on from there.
    static func drop(upTo id: Int64, in connection: Database) throws {
        let hash = try Data.fetchOne(
            connection, sql: "SELECT hash FROM audit WHERE id = ?", arguments: [id])
        guard let hash else { return }
        try connection.execute(
            sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)",
            arguments: [baseHashKey, Hexadecimal.text(hash)])
        try Counters.set(.auditBase, to: id, in: connection)
        try connection.execute(sql: "DELETE FROM audit WHERE id <= ?", arguments: [id])
    }

    static func link(_ row: Row) -> AuditChain.Link {
        AuditChain.Link(
            id: row[0], at: row[1], actor: row[2], action: row[3], kind: row[4], name: row[5],
            before: row[6], after: row[7], requestID: row[8], detail: row[9],
            previousHash: [UInt8](row[10] as Data), hash: [UInt8](row[11] as Data))
    }

    static func links(
        after id: Int64, limit: Int, in connection: Database
    ) throws -> [AuditChain.Link] {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(columns) FROM audit WHERE id > ? ORDER BY id LIMIT \(limit)")
        return try Row.fetchAll(statement, arguments: [id]).map(link)
    }

    static func page(
        _ query: AuditQuery, before id: Int64, limit: Int, in connection: Database
    ) throws -> [AuditChain.Link] {
        var conditions = ["id < ?"]
        var arguments: StatementArguments = [id]
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        add("actor = ?", query.actor)
        add("kind = ?", query.kind?.text)
        add("name = ?", query.name)
        add("at >= ?", query.since.map(Moment.milliseconds))
        add("at < ?", query.before.map(Moment.milliseconds))
        add("substr(action, 1, \(query.action?.unicodeScalars.count ?? 0)) = ?", query.action)
        let statement = try connection.cachedStatement(
            sql: "SELECT \(columns) FROM audit WHERE \(conditions.joined(separator: " AND ")) "
                + "ORDER BY id DESC LIMIT \(limit)")
        return try Row.fetchAll(statement, arguments: arguments).map(link)
    }

    private static let baseHashKey = "audit_base_hash"
}

extension AuditEntry {
    init(_ link: AuditChain.Link) throws {
        self.init(
            id: UInt64(link.id), at: Moment.date(link.at), actor: link.actor,
            action: link.action, kind: link.kind, name: link.name, before: link.before,
            after: link.after, requestID: link.requestID,
            detail: try JSONText.decode(
                [String: String].self, from: link.detail, of: "audit entry \(link.id)"),
            previousHash: Hexadecimal.text(link.previousHash), hash: Hexadecimal.text(link.hash))
    }
}
