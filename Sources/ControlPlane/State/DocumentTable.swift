// Rows of documents, and the SQL that finds them. The columns are the same in the change log, so
// that a row of either becomes a document in one place.

import Foundation
import GRDB

enum DocumentTable {
    static let columns = """
        id, kind, name, generation, version, labels, created_at, updated_at, created_by, \
        deleted_at, spec, status
        """

    /// - Parameter offset: of the first of `columns` in the row.
    static func document(_ row: Row, at offset: Int = 0) -> Document {
        Document(
            key: DocumentKey(DocumentKind(row[offset + 1]), row[offset + 2]), id: row[offset],
            generation: UInt64(bitPattern: row[offset + 3]),
            version: UInt64(bitPattern: row[offset + 4]),
            labels: LabelText.decode(row[offset + 5]), createdAt: Moment.date(row[offset + 6]),
            updatedAt: Moment.date(row[offset + 7]), createdBy: row[offset + 8],
            deletedAt: (row[offset + 9] as Int64?).map(Moment.date), spec: row[offset + 10],
            status: row[offset + 11])
    }

    static func live(_ key: DocumentKey, in connection: Database) throws -> Document? {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(columns) FROM document "
                + "WHERE kind = ? AND name = ? AND deleted_at IS NULL")
        return try Row.fetchOne(statement, arguments: [key.kind.text, key.name]).map {
            document($0)
        }
    }

    static func newestTombstone(_ key: DocumentKey, in connection: Database) throws -> Document? {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(columns) FROM document WHERE kind = ? AND name = ? "
                + "AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC LIMIT 1")
        return try Row.fetchOne(statement, arguments: [key.kind.text, key.name]).map {
            document($0)
        }
    }

    /// Any live one of the kind that is newer.
    static func changed(
        _ kind: DocumentKind, since sequence: UInt64, in connection: Database
    ) throws -> (key: DocumentKey, version: UInt64)? {
        let statement = try connection.cachedStatement(
            sql: "SELECT name, version FROM document "
                + "WHERE kind = ? AND version > ? AND deleted_at IS NULL LIMIT 1")
        let found = try Row.fetchOne(
            statement, arguments: [kind.text, Int64(bitPattern: sequence)])
        return found.map { (DocumentKey(kind, $0[0]), UInt64(bitPattern: $0[1])) }
    }

    static func insert(_ document: Document, in connection: Database) throws {
        try connection.cachedStatement(
            sql: "INSERT INTO document (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: arguments(document))
        try count(document.kind, 1, in: connection)
    }

    /// Makes the live row of this key what the document says.
    static func update(_ document: Document, in connection: Database) throws {
        try connection.cachedStatement(
            sql: "UPDATE document SET generation = ?, version = ?, labels = ?, updated_at = ?, "
                + "deleted_at = ?, spec = ?, status = ? WHERE id = ?"
        ).execute(arguments: [
            Int64(bitPattern: document.generation), Int64(bitPattern: document.version),
            LabelText.encode(document.labels), Moment.milliseconds(document.updatedAt),
            document.deletedAt.map(Moment.milliseconds), document.spec, document.status,
            document.id,
        ])
        if document.deletedAt != nil { try count(document.kind, -1, in: connection) }
    }

    /// Removes the live document, if there is one, and the tombstones.
    static func purge(_ key: DocumentKey, in connection: Database) throws {
        if try live(key, in: connection) != nil { try count(key.kind, -1, in: connection) }
        try connection.cachedStatement(sql: "DELETE FROM document WHERE kind = ? AND name = ?")
            .execute(arguments: [key.kind.text, key.name])
    }

    static func liveCount(_ kind: DocumentKind, in connection: Database) throws -> Int {
        let statement = try connection.cachedStatement(
            sql: "SELECT live FROM document_count WHERE kind = ?")
        return try Int.fetchOne(statement, arguments: [kind.text]) ?? 0
    }

    private static func count(_ kind: DocumentKind, _ step: Int, in connection: Database) throws {
        try connection.cachedStatement(
            sql: "INSERT INTO document_count VALUES (?, ?) "
                + "ON CONFLICT (kind) DO UPDATE SET live = live + excluded.live"
        ).execute(arguments: [kind.text, step])
    }

    static func arguments(_ document: Document) -> StatementArguments {
        [
            document.id, document.kind.text, document.name,
            Int64(bitPattern: document.generation), Int64(bitPattern: document.version),
            LabelText.encode(document.labels), Moment.milliseconds(document.createdAt),
            Moment.milliseconds(document.updatedAt), document.createdBy,
            document.deletedAt.map(Moment.milliseconds), document.spec, document.status,
        ]
    }
}
