// Rows of tokens: digests, never texts.
// The one row of the first start is told by `is_bootstrap`.

import Foundation
import GRDB

enum TokenTable {
    struct Entry: Sendable {
        var record: Token
        var digest: [UInt8]
    }

    private static let columns = """
        id, digest, grants, note, is_bootstrap, created_at, created_by, expires_at, last_used_at, \
        revoked_at
        """

    static func all(in connection: Database) throws -> [Token] {
        try Row.fetchAll(
            connection, sql: "SELECT \(columns) FROM token ORDER BY id DESC"
        ).map { try entry($0).record }
    }

    static func token(
        where condition: String, _ arguments: StatementArguments, in connection: Database
    ) throws -> Entry? {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(columns) FROM token WHERE \(condition)")
        return try Row.fetchOne(statement, arguments: arguments).map(entry)
    }

    static func insert(_ token: Token, digest: [UInt8], in connection: Database) throws {
        let count = try Int.fetchOne(connection, sql: "SELECT count(*) FROM token") ?? 0
        guard count < StateLimits.tokens else {
            throw StateError.noRoom(what: "tokens", limit: StateLimits.tokens)
        }
        try connection.execute(
            sql: "INSERT INTO token (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                token.id, Data(digest), try JSONText.encode(token.grants), token.note,
                token.isBootstrap, Moment.milliseconds(token.createdAt), token.createdBy,
                token.expiresAt.map(Moment.milliseconds),
                token.lastUsedAt.map(Moment.milliseconds),
                token.revokedAt.map(Moment.milliseconds),
            ])
    }

    /// A digest that is known, even as revoked, is left as it is; a new one ends the one before.
    static func registerBootstrap(
        _ digest: [UInt8], now: Date, in connection: Database
    ) throws {
        let known = try token(where: "digest = ?", [Data(digest)], in: connection)
        guard known == nil else { return }
        var generator = SystemRandomNumberGenerator()
        try connection.execute(
            sql: "UPDATE token SET revoked_at = ? WHERE is_bootstrap = 1 AND revoked_at IS NULL",
            arguments: [Moment.milliseconds(now)])
        let token = Token(
            id: DocumentID.make(at: now, using: &generator), grants: [Grant(.admin)],
            note: "made at the first start; its text is in admin.token", createdAt: now,
            createdBy: "system", expiresAt: nil, lastUsedAt: nil, revokedAt: nil,
            isBootstrap: true)
        try insert(token, digest: digest, in: connection)
        try AuditTable.append(
            AuditDraft(
                "token.create", DocumentKey("token", token.id), detail: ["note": token.note]),
            at: now, actor: "system", before: "", after: "", in: connection)
    }

    private static func entry(_ row: Row) throws -> Entry {
        Entry(
            record: Token(
                id: row[0],
                grants: try JSONText.decode(
                    [Grant].self, from: row[2], of: "token \(row[0] as String)"),
                note: row[3], createdAt: Moment.date(row[5]), createdBy: row[6],
                expiresAt: (row[7] as Int64?).map(Moment.date),
                lastUsedAt: (row[8] as Int64?).map(Moment.date),
                revokedAt: (row[9] as Int64?).map(Moment.date), isBootstrap: row[4]),
            digest: [UInt8](row[1] as Data))
    }
}

extension Bounds {
    static func check(_ draft: TokenDraft) throws {
        try text(draft.note, "note", 0...StateLimits.noteBytes)
        guard (1...StateLimits.grantsPerToken).contains(draft.grants.count) else {
            throw StateError.invalid(
                what: "grants", reason: "1 to \(StateLimits.grantsPerToken) are allowed")
        }
        for grant in draft.grants {
            guard let environments = grant.environments else { continue }
            guard (1...StateLimits.environmentsPerGrant).contains(environments.count) else {
                throw StateError.invalid(
                    what: "environments",
                    reason: "1 to \(StateLimits.environmentsPerGrant) are allowed")
            }
            for name in environments { try text(name, "environment", 1...StateLimits.kindBytes) }
        }
        guard draft.lifetime > .zero, draft.lifetime <= StateLimits.tokenLifetimeMax else {
            throw StateError.invalid(what: "lifetime", reason: "at most ten years")
        }
    }
}
