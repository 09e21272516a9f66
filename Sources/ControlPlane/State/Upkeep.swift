// What is let go, table by table: first what is too old, then the oldest of what is too much. Each
// call is bounded; what it leaves is for the next round.

import Foundation
import GRDB

enum Upkeep {
    /// Rows in one transaction: some milliseconds.
    static let piece = 1000

    static func events(
        _ retention: Retention, now: Date, in connection: Database
    ) throws -> Int {
        let oldest = Moment.milliseconds(now) - retention.eventAgeSeconds * 1000
        let last = try Int64.fetchOne(
            connection, sql: "SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?",
            arguments: [retention.events])
        try connection.execute(
            sql: "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT \(piece)) "
                + "AND (last_at < ? OR id <= ?)",
            arguments: [oldest, last ?? 0])
        return connection.changesCount
    }

    static func tombstones(
        _ retention: Retention, now: Date, in connection: Database
    ) throws -> Int {
        let oldest = Moment.milliseconds(now) - retention.tombstoneAgeSeconds * 1000
        let count =
            try Int.fetchOne(
                connection, sql: "SELECT count(*) FROM document WHERE deleted_at IS NOT NULL") ?? 0
        let excess = max(0, count - retention.tombstones)
        try connection.execute(
            sql: "DELETE FROM document WHERE row IN (SELECT row FROM document "
                + "WHERE deleted_at IS NOT NULL AND deleted_at < ? LIMIT \(piece))",
            arguments: [oldest])
        let old = connection.changesCount
        let rest = min(piece, excess - old)
        guard rest > 0 else { return old }
        try connection.execute(
            sql: "DELETE FROM document WHERE row IN (SELECT row FROM document "
                + "WHERE deleted_at IS NOT NULL ORDER BY deleted_at, row LIMIT \(rest))")
        return old + connection.changesCount
    }

    /// Names of those that finished too long ago, or before the newest few thousand.
    static func finishedOperations(
        _ retention: Retention, now: Date, in connection: Database
    ) throws -> [String] {
        let oldest = Moment.milliseconds(now) - retention.operationAgeSeconds * 1000
        let finished = OperationRecord.State.allCases.filter(\.isFinished).map(\.rawValue)
        let marks = finished.map { _ in "?" }.joined(separator: ", ")
        let condition =
            "kind = ? AND deleted_at IS NULL "
            + "AND json_extract(status, '$.state') IN (\(marks))"
        var arguments = StatementArguments([DocumentKind.operation.text] + finished)
        let last = try String.fetchOne(
            connection,
            sql: "SELECT id FROM document WHERE \(condition) ORDER BY id DESC LIMIT 1 "
                + "OFFSET \(retention.finishedOperations)", arguments: arguments)
        arguments += [oldest, last ?? ""]
        return try String.fetchAll(
            connection,
            sql: "SELECT name FROM document WHERE \(condition) AND (updated_at < ? OR id <= ?) "
                + "ORDER BY id LIMIT \(piece)", arguments: arguments)
    }

    /// Tokens that ended as long ago as operations are kept: nobody asks for them any more.
    static func tokens(
        _ retention: Retention, now: Date, in connection: Database
    ) throws -> Int {
        let oldest = Moment.milliseconds(now) - retention.operationAgeSeconds * 1000
        // A revoked bootstrap token must be remembered: its file may still be there.
        try connection.execute(
            sql: "DELETE FROM token WHERE is_bootstrap = 0 "
                + "AND min(coalesce(revoked_at, ?1), coalesce(expires_at, ?1)) < ?2",
            arguments: [Int64.max, oldest])
        return connection.changesCount
    }

    static func audit(
        _ retention: Retention, now: Date, in connection: Database
    ) throws -> Int {
        let oldest = Moment.milliseconds(now) - retention.auditAgeSeconds * 1000
        let (last, _) = try AuditTable.last(in: connection)
        let (base, _) = try AuditTable.base(in: connection)
        let tooMany = last - Int64(retention.auditEntries)
        // Times are people's clocks and may step; the number alone orders entries.
        let firstYoung = try Int64.fetchOne(
            connection, sql: "SELECT id FROM audit WHERE at >= ? ORDER BY id LIMIT 1",
            arguments: [oldest])
        let tooOld = (firstYoung ?? last + 1) - 1
        // The newest stays, whatever its age: the chain goes on from it.
        let end = min(max(tooMany, tooOld), base + Int64(piece), last - 1)
        guard end > base else { return 0 }
        try AuditTable.drop(upTo: end, in: connection)
        return Int(end - base)
    }
}
