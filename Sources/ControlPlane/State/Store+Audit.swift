// The audit log of the running store.

package import Foundation
import GRDB

extension Store {
    package var auditLog: AuditLog { AuditLog(database, directory: directory) }

    /// Newest first.
    package func audit(_ query: AuditQuery) async throws -> AuditPage {
        let size = max(1, min(query.pageSize, StateLimits.pageSize))
        let start = try pageTokens.position(query.pageToken, of: query.identity)
        guard let id = start.map({ Int64($0.after) }) ?? .max else {
            throw StateError.badPageToken
        }
        let links = try await read {
            try AuditTable.page(query, before: id, limit: size + 1, in: $0)
        }
        let entries = try links.prefix(size).map { try AuditEntry($0) }
        guard links.count > size, let last = entries.last else {
            return AuditPage(entries: entries, nextPageToken: nil)
        }
        let position = PageTokens.Position(sequence: 0, after: "\(last.id)")
        return AuditPage(
            entries: entries, nextPageToken: pageTokens.token(position, of: query.identity))
    }

    package func verifyAudit() async throws -> AuditVerdict {
        try await reading { try await auditLog.verify() }
    }

    /// Every entry after one, oldest first, as JSON, one a line.
    package func exportAudit(
        since id: UInt64 = 0, _ line: @Sendable (String) async throws -> Void
    ) async throws {
        try await reading { try await auditLog.export(since: id, line) }
    }

    /// Signs how far the log reaches and keeps the note in `audit.checkpoint`.
    ///
    /// - Throws: `StateError.auditBroken` when the log does not agree with the note that is there:
    ///   a fresh signature would only hide that.
    @discardableResult
    package func signAudit(now: Date) async throws -> AuditCheckpoint {
        let file = StateDirectory.checkpointFile(in: directory)
        let before = try AuditLog.checkpoint(in: file)
        let (base, last, found) = try await read { connection in
            let id = before.map { Int64(clamping: $0.lastID) } ?? 0
            let found = try Data.fetchOne(
                connection, sql: "SELECT hash FROM audit WHERE id = ?", arguments: [id])
            return (
                try AuditTable.base(in: connection), try AuditTable.last(in: connection),
                found.map(Hexadecimal.text)
            )
        }
        if let before, before.lastID > base.id, before.lastHash != found {
            throw StateError.auditBroken(id: before.lastID)
        }
        let checkpoint = try AuditCheckpoint.signed(
            base: base, last: last, at: now, with: try SecretFile.auditKey(in: directory))
        try StateDirectory.write(try JSONText.encode(checkpoint), to: file)
        return checkpoint
    }
}

extension AuditQuery {
    fileprivate var identity: [String] {
        [
            "audit", actor ?? "", kind?.text ?? "", name ?? "", action ?? "",
            since.map(Moment.text) ?? "", before.map(Moment.text) ?? "",
        ]
    }
}
