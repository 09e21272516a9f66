// Leases, and the one number that grows whenever any of them changes hands.

import Foundation
import GRDB

enum LeaseTable {
    static func acquire(
        _ name: String, holder: String, until: Date, now: Date, in connection: Database
    ) throws -> Lease {
        let row = try Row.fetchOne(
            connection, sql: "SELECT holder, token, expires_at FROM lease WHERE name = ?",
            arguments: [name])
        var token: Int64
        if let row, row[2] as Int64 > Moment.milliseconds(now) {
            guard row[0] == holder else {
                throw StateError.leaseHeld(
                    name: name, holder: row[0], until: Moment.date(row[2]))
            }
            token = row[1]
        } else {
            try makeRoom(now, in: connection)
            token = try Counters.value(.leaseToken, in: connection) + 1
            try Counters.set(.leaseToken, to: token, in: connection)
        }
        try connection.execute(
            sql: "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)",
            arguments: [name, holder, token, Moment.milliseconds(until)])
        return Lease(
            name: name, holder: holder, token: UInt64(token), expiresAt: Moment.rounded(until))
    }

    static func release(_ lease: Lease, in connection: Database) throws {
        try connection.execute(
            sql: "DELETE FROM lease WHERE name = ? AND token = ?",
            arguments: [lease.name, Int64(bitPattern: lease.token)])
    }

    static func verify(
        _ name: String, token: UInt64, at now: Date, in connection: Database
    ) throws {
        let row = try Row.fetchOne(
            connection, sql: "SELECT token, expires_at FROM lease WHERE name = ?",
            arguments: [name])
        guard let row, UInt64(bitPattern: row[0]) == token,
            row[1] as Int64 > Moment.milliseconds(now)
        else { throw StateError.fenced(lease: name) }
    }

    private static func makeRoom(_ now: Date, in connection: Database) throws {
        let count = try Int.fetchOne(connection, sql: "SELECT count(*) FROM lease") ?? 0
        guard count >= StateLimits.leases else { return }
        try connection.execute(
            sql: "DELETE FROM lease WHERE expires_at <= ?", arguments: [Moment.milliseconds(now)])
        guard connection.changesCount == 0 else { return }
        throw StateError.noRoom(what: "leases", limit: StateLimits.leases)
    }
}
