// From the schema that is there to the one this version knows. A database of a later version is
// left alone: its tables may mean something else by the same names.

import Foundation
import GRDB

extension Store {
    static func migrate(_ database: DatabasePool) throws {
        try refuseLater(database)
        try migrator().migrate(database)
        try makeShrinkable(database)
    }

    static func refuseLater(_ database: DatabasePool) throws {
        guard try !database.read(migrator().hasBeenSuperseded) else {
            throw StateError.tooNew(file: database.path)
        }
    }

    static func migrator() -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 traffic") { try $0.execute(sql: Schema.traffic) }
        migrator.registerMigration("2 documents") { connection in
            try connection.execute(sql: Schema.documents)
            try connection.execute(sql: Schema.trail)
            try connection.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
            try moveTraffic(in: connection)
            try moveChanges(in: connection)
            try connection.execute(
                sql: "DROP TABLE traffic_override; DROP TABLE endpoint_drain; DROP TABLE change")
        }
        return migrator
    }

    /// A file made by an early version gives no pages back until it is rewritten once.
    private static func makeShrinkable(_ database: DatabasePool) throws {
        try database.writeWithoutTransaction { connection in
            guard try Int.fetchOne(connection, sql: "PRAGMA auto_vacuum") == 0 else { return }
            try connection.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try connection.execute(sql: "VACUUM")
        }
    }

    private static func moveTraffic(in connection: Database) throws {
        var generator = SystemRandomNumberGenerator()
        let splits = try Row.fetchAll(
            connection, sql: "SELECT * FROM traffic_override ORDER BY service")
        for row in splits {
            let created = Moment.date(row["created_at"] as Int64)
            let override = TrafficOverride(
                service: row["service"],
                weights: try JSONText.decode(
                    [String: Int].self, from: row["weights_json"], of: "traffic_override"),
                fileFingerprint: row["file_fingerprint"], createdAt: created)
            try store(.setSplit(override), at: created, in: connection, using: &generator)
        }
        let drains = try Row.fetchAll(
            connection, sql: "SELECT * FROM endpoint_drain ORDER BY service, address")
        for row in drains {
            let created = Moment.date(row["created_at"] as Int64)
            let drain = EndpointDrain(
                service: row["service"], address: row["address"], isDrained: row["is_drained"],
                fileFingerprint: row["file_fingerprint"], createdAt: created)
            try store(.setDrain(drain), at: created, in: connection, using: &generator)
        }
    }

    private static func store(
        _ edit: TrafficEdit, at: Date, in connection: Database,
        using generator: inout some RandomNumberGenerator
    ) throws {
        var transaction = Transaction(at: at, actor: "system:migration")
        transaction.edits = [try edit.documentEdit]
        var writer = TransactionWriter(transaction, Retention(), connection)
        _ = try writer.perform(using: &generator)
    }

    /// What was recorded becomes the beginning of the chain.
    private static func moveChanges(in connection: Database) throws {
        for row in try Row.fetchAll(connection, sql: "SELECT * FROM change ORDER BY id") {
            let draft = AuditDraft(
                row["action"], DocumentKey("service", row["target"]),
                detail: try JSONText.decode(
                    [String: String].self, from: row["detail_json"], of: "change"))
            try AuditTable.append(
                draft, at: Moment.date(row["at"] as Int64), actor: row["actor"], before: "",
                after: "",
                in: connection)
        }
    }
}
