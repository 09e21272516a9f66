// Tokens: made, listed, revoked, and known again by the hash of their text. They are no documents:
// watchers and lists of documents must never meet even a digest.

import Crypto
package import Foundation
import GRDB

extension Store {
    /// The token of the admin port, made at the first start and registered with every right. The
    /// CLI reads the same file. A file that was replaced replaces the token; one that was revoked
    /// stays revoked.
    package func adminToken(now: Date) throws -> AdminToken {
        let token = try SecretFile.adminToken(in: directory)
        let digest = token.digest
        try writeNow { try TokenTable.registerBootstrap(digest, now: now, in: $0) }
        return token
    }

    /// The text is in the answer and nowhere else.
    ///
    /// - Parameter answer: what a repetition of the request gets, stored with the token.
    package func createToken(
        _ draft: TokenDraft, by actor: String, now: Date,
        answer: (Token) -> IdempotentAnswer? = { _ in nil }
    ) async throws -> NewToken {
        var generator = SystemRandomNumberGenerator()
        let secret = AdminToken.make(using: &generator)
        let token = try checkedToken(
            draft, id: DocumentID.make(at: now, using: &generator), by: actor, now: now)
        let detail = try token.auditDetail
        let kept = answer(token)
        if let kept { try Bounds.check(kept) }
        try await write { connection in
            try TokenTable.insert(token, digest: secret.digest, in: connection)
            if let kept { try IdempotencyTable.finish(kept, now: now, in: connection) }
            try AuditTable.append(
                AuditDraft("token.create", token.key, detail: detail), at: now, actor: actor,
                before: "", after: "", in: connection)
        }
        return NewToken(record: token, secret: secret)
    }

    /// What a draft would be as a token; nothing is stored.
    package func checkedToken(
        _ draft: TokenDraft, id: String, by actor: String, now: Date
    ) throws -> Token {
        try Bounds.check(draft)
        try Bounds.check(actor: actor)
        return Token(
            id: id, grants: draft.grants, note: draft.note, createdAt: Moment.rounded(now),
            createdBy: actor,
            expiresAt: Moment.rounded(now.addingTimeInterval(draft.lifetime / .seconds(1))),
            lastUsedAt: nil, revokedAt: nil, isBootstrap: false)
    }

    /// The newest first, revoked and expired ones too until upkeep removes them.
    package func tokens() async throws -> [Token] {
        try await read { try TokenTable.all(in: $0) }
    }

    package func token(_ id: String) async throws -> Token? {
        try await read { try TokenTable.token(where: "id = ?", [id], in: $0)?.record }
    }

    /// From now on it is nobody's. Revoking again changes nothing.
    @discardableResult
    package func revokeToken(_ id: String, by actor: String, now: Date) async throws -> Token {
        try Bounds.check(actor: actor)
        return try await write { connection in
            guard var token = try TokenTable.token(where: "id = ?", [id], in: connection)?.record
            else { throw StateError.missing(DocumentKey("token", id)) }
            if token.revokedAt != nil { return token }
            token.revokedAt = Moment.rounded(now)
            try connection.execute(
                sql: "UPDATE token SET revoked_at = ? WHERE id = ?",
                arguments: [Moment.milliseconds(now), id])
            try AuditTable.append(
                AuditDraft("token.revoke", token.key), at: now, actor: actor, before: "",
                after: "", in: connection)
            return token
        }
    }

    /// Whose text this is; nil when nobody's, or no longer.
    package func authenticate(_ text: String, now: Date) async throws -> Token? {
        guard let offered = AdminToken(text)?.digest else { return nil }
        let found = try await read {
            try TokenTable.token(where: "digest = ?", [Data(offered)], in: $0)
        }
        // The index has compared hashes, of which a guesser controls not one byte; this compares
        // in constant time all the same.
        guard let found, ConstantTime.areEqual(found.digest, offered), found.record.isGood(at: now)
        else {
            return nil
        }
        await noteUse(of: found.record, now: now)
        return found.record
    }

    private func noteUse(of token: Token, now: Date) async {
        let last = token.lastUsedAt.map(Moment.milliseconds) ?? 0
        guard Moment.milliseconds(now) - last >= StateLimits.lastUsedSeconds * 1000 else { return }
        // A full disk must not keep anybody from reading what is wrong.
        try? await write {
            try $0.execute(
                sql: "UPDATE token SET last_used_at = ? WHERE id = ?",
                arguments: [Moment.milliseconds(now), token.id])
        }
    }
}

extension Token {
    fileprivate var key: DocumentKey { DocumentKey("token", id) }

    fileprivate var auditDetail: [String: String] {
        get throws {
            [
                "grants": try JSONText.encode(grants), "note": note,
                "expires_at": expiresAt.map(Moment.text) ?? "never",
            ]
        }
    }
}
