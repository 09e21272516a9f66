// Numbers of which there is one each: the last sequence, up to where the change log is cut.

import GRDB

enum Counters {
    enum Name: String {
        /// Of the last change of any document.
        case sequence
        /// Changes up to here, inclusive, are no longer in the change log.
        case compacted
        /// What the change log holds.
        case changeBytes = "change_bytes"
        case leaseToken = "lease_token"
        /// The last audit entry that was let go, whose hash the chain begins with.
        case auditBase = "audit_base"
    }

    static func value(_ name: Name, in connection: Database) throws -> Int64 {
        let statement = try connection.cachedStatement(
            sql: "SELECT value FROM counter WHERE name = ?")
        return try Int64.fetchOne(statement, arguments: [name.rawValue]) ?? 0
    }

    static func set(_ name: Name, to value: Int64, in connection: Database) throws {
        try connection.cachedStatement(
            sql: "INSERT INTO counter VALUES (?, ?) "
                + "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ).execute(arguments: [name.rawValue, value])
    }
}
