// Every change of a document in order, for watchers: what they have not seen is read from here,
// so a watcher that lags costs no memory. The oldest are let go by number, size and age;
// `compacted` remembers up to where, so that nobody takes a gap for silence.

import Foundation
import GRDB

enum ChangeLog {
    static func append(
        _ change: DocumentChange, at: Date, in connection: Database
    ) throws -> Int64 {
        let document = change.document
        let bytes = Int64(
            document.spec.utf8.count + (document.status?.utf8.count ?? 0)
                + document.name.utf8.count + 200)
        var arguments: StatementArguments = [
            Int64(bitPattern: change.sequence), Moment.milliseconds(at), change.change.rawValue,
            bytes,
        ]
        arguments += DocumentTable.arguments(document)
        try connection.cachedStatement(
            sql: "INSERT INTO change_log (sequence, at, change, bytes, \(DocumentTable.columns)) "
                + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: arguments)
        return bytes
    }

    struct Page: Sendable {
        var changes: [DocumentChange]
        /// Everything up to here has been seen.
        var position: UInt64
    }

    /// - Throws: `StateError.compacted` when the changes after the position are not all there, or
    ///   the position is one that this store has never issued.
    static func page(
        after position: UInt64, kinds: [String], in connection: Database
    ) throws -> Page {
        let compacted = UInt64(bitPattern: try Counters.value(.compacted, in: connection))
        let latest = UInt64(bitPattern: try Counters.value(.sequence, in: connection))
        guard position >= compacted, position <= latest else {
            throw StateError.compacted(since: position, oldest: compacted)
        }
        let filter =
            kinds.isEmpty
            ? "" : "AND kind IN (\(kinds.map { _ in "?" }.joined(separator: ", ")))"
        let statement = try connection.cachedStatement(
            sql: "SELECT sequence, change, \(DocumentTable.columns) FROM change_log "
                + "WHERE sequence > ? \(filter) ORDER BY sequence "
                + "LIMIT \(StateLimits.changesPerRead)")
        let arguments =
            StatementArguments([Int64(bitPattern: position)]) + StatementArguments(kinds)
        let cursor = try Row.fetchCursor(statement, arguments: arguments)
        var changes: [DocumentChange] = []
        while let row = try cursor.next() {
            changes.append(
                DocumentChange(
                    sequence: UInt64(bitPattern: row[0]),
                    change: DocumentChange.Change(rawValue: row[1]) ?? .modified,
                    document: DocumentTable.document(row, at: 2)))
        }
        let isFull = changes.count == StateLimits.changesPerRead
        return Page(changes: changes, position: isFull ? changes.last?.sequence ?? latest : latest)
    }

    /// Lets go of what is too much or too old.
    static func cut(_ retention: Retention, now: Date, in connection: Database) throws {
        let latest = try Counters.value(.sequence, in: connection)
        let compacted = try Counters.value(.compacted, in: connection)
        let oldest = Moment.milliseconds(now) - retention.changeAgeSeconds * 1000
        var excess = try Counters.value(.changeBytes, in: connection) - Int64(retention.changeBytes)
        var bytes: Int64 = 0
        var last = compacted
        let cursor = try Row.fetchCursor(
            connection, sql: "SELECT sequence, at, bytes FROM change_log ORDER BY sequence")
        while let row = try cursor.next() {
            let sequence: Int64 = row[0]
            let isTooMany = sequence <= latest - Int64(retention.changes)
            guard isTooMany || row[1] < oldest || excess > 0 else { break }
            last = sequence
            bytes += row[2] as Int64
            excess -= row[2] as Int64
        }
        if last == compacted { return }
        try connection.execute(
            sql: "DELETE FROM change_log WHERE sequence <= ?", arguments: [last])
        try Counters.set(.compacted, to: last, in: connection)
        let held = try Counters.value(.changeBytes, in: connection)
        try Counters.set(.changeBytes, to: held - bytes, in: connection)
    }
}
