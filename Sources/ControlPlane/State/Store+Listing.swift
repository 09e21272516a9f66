// Lists of documents: filters as SQL, pages by the last item's key, so that what is inserted or
// removed meanwhile moves nothing from one page to another.

import Foundation
import GRDB

extension Store {
    package func list(_ query: DocumentQuery) async throws -> DocumentPage {
        let size = max(1, min(query.pageSize, StateLimits.pageSize))
        let start = try pageTokens.position(query.pageToken, of: query.identity)
        let selection = try Selection(query, after: start?.after, limit: size + 1)
        let (found, sequence) = try await read { connection in
            (
                try selection.documents(in: connection),
                UInt64(bitPattern: try Counters.value(.sequence, in: connection))
            )
        }
        let first = start?.sequence ?? sequence
        guard found.count > size else {
            return DocumentPage(documents: found, sequence: first, nextPageToken: nil)
        }
        let page = Array(found.prefix(size))
        let position = PageTokens.Position(
            sequence: first, after: query.order.position(of: page[size - 1]))
        return DocumentPage(
            documents: page, sequence: first,
            nextPageToken: pageTokens.token(position, of: query.identity))
    }

    package func count(_ query: DocumentQuery) async throws -> Int {
        let selection = try Selection(query, after: nil, limit: 1)
        return try await read { try selection.count(in: $0) }
    }
}

extension DocumentQuery {
    /// Everything that decides which documents there are, and their order.
    fileprivate var identity: [String] {
        var parts = ["documents", kind.text, prefix, order.rawValue, isDescending ? "down" : "up"]
        parts += labels.map { "\($0.key)=\($0.value)" }.sorted()
        for field in fields {
            parts.append(field.part.rawValue)
            parts += field.path
            parts.append("=")
            parts += field.values
        }
        return parts
    }
}

extension DocumentQuery.Order {
    fileprivate func position(of document: Document) -> String {
        switch self {
        case .name: document.name
        case .created: document.id
        case .updated: "\(document.version)"
        }
    }

    fileprivate var column: String {
        switch self {
        case .name: "name"
        case .created: "id"
        case .updated: "version"
        }
    }
}

/// A query as SQL.
private struct Selection: Sendable {
    private var conditions = ["kind = ?", "deleted_at IS NULL"]
    private var arguments: [String] = []
    private let order: String

    init(_ query: DocumentQuery, after: String?, limit: Int) throws {
        arguments = [query.kind.text]
        let direction = query.isDescending ? "DESC" : "ASC"
        order = "ORDER BY \(query.order.column) \(direction) LIMIT \(limit)"
        if !query.prefix.isEmpty {
            // The last scalar value ends every name that begins with the prefix.
            add("name >= ? AND name < ?", query.prefix, query.prefix + "\u{10FFFF}")
        }
        for (key, value) in query.labels.sorted(by: { $0.key < $1.key }) {
            add("instr(labels, ?) > 0", LabelText.needle(key, value))
        }
        for field in query.fields { try add(field) }
        if let after {
            let than = query.isDescending ? "<" : ">"
            let value = query.order == .updated ? "CAST(? AS INTEGER)" : "?"
            add("\(query.order.column) \(than) \(value)", after)
        }
    }

    func documents(in connection: Database) throws -> [Document] {
        let statement = try connection.cachedStatement(
            sql: "SELECT \(DocumentTable.columns) FROM document "
                + "WHERE \(conditions.joined(separator: " AND ")) \(order)")
        let cursor = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        var documents: [Document] = []
        while let row = try cursor.next() { documents.append(DocumentTable.document(row)) }
        return documents
    }

    func count(in connection: Database) throws -> Int {
        let statement = try connection.cachedStatement(
            sql: "SELECT count(*) FROM document WHERE \(conditions.joined(separator: " AND "))")
        return try Int.fetchOne(statement, arguments: StatementArguments(arguments)) ?? 0
    }

    private mutating func add(_ condition: String, _ values: String...) {
        conditions.append(condition)
        arguments += values
    }

    /// JSON's `true` is text here, as clients write it in a filter.
    private mutating func add(_ field: DocumentQuery.FieldMatch) throws {
        let isPlain = field.path.allSatisfy { name in
            !name.isEmpty && name.utf8.allSatisfy(Self.isPlain)
        }
        guard isPlain, !field.path.isEmpty, field.path.count <= Self.depth,
            !field.values.isEmpty, field.values.count <= Self.values
        else {
            throw StateError.invalid(
                what: "field \(field.path.joined(separator: "."))",
                reason: "names of letters, digits, '_' and '-', and at most "
                    + "\(Self.values) values")
        }
        let path = "'$" + field.path.map { ".\"\($0)\"" }.joined() + "'"
        let column = field.part.rawValue
        let marks = field.values.map { _ in "?" }.joined(separator: ", ")
        conditions.append(
            "CASE json_type(\(column), \(path)) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
                + "ELSE CAST(json_extract(\(column), \(path)) AS TEXT) END IN (\(marks))")
        arguments += field.values
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static let depth = 8
    private static let values = 64
}
