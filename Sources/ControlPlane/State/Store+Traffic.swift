// The traffic tables. A transition is one transaction: generation checked, edits, audit record.
// Values that have a shape of their own are stored as JSON, moments as milliseconds since 1970.

import Foundation
import GRDB

extension Store {
    package func trafficMemory() throws -> TrafficMemory {
        try translating {
            try database.read { connection in
                var memory = TrafficMemory()
                memory.overrides = try Store.overrides(in: connection)
                memory.drains = try Store.drains(in: connection)
                memory.generation = try Store.generation(in: connection)
                return memory
            }
        }
    }

    package func commit(_ transition: TrafficTransition) throws {
        try translating {
            try database.write { connection in
                let stored = try Store.generation(in: connection)
                guard transition.generation > stored else {
                    throw StateError.staleGeneration(
                        stored: stored, offered: transition.generation)
                }
                for edit in transition.edits {
                    try Store.perform(edit, generation: transition.generation, in: connection)
                }
                for change in transition.changes { try Store.append(change, in: connection) }
                try Store.set(
                    "plan_generation", to: String(transition.generation), in: connection)
            }
        }
    }

    private static func perform(
        _ edit: TrafficEdit, generation: UInt64, in connection: Database
    ) throws {
        switch edit {
        case .setSplit(let override):
            try connection.execute(
                sql: "INSERT OR REPLACE INTO traffic_override VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    override.service, try json(override.weights), override.fileFingerprint,
                    milliseconds(override.createdAt), Int64(clamping: generation),
                ])
        case .clearSplit(let service):
            try connection.execute(
                sql: "DELETE FROM traffic_override WHERE service = ?", arguments: [service])
        case .setDrain(let drain):
            try connection.execute(
                sql: "INSERT OR REPLACE INTO endpoint_drain VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    drain.service, drain.address, drain.isDrained, drain.fileFingerprint,
                    milliseconds(drain.createdAt),
                ])
        case .clearDrain(let service, let address):
            try connection.execute(
                sql: "DELETE FROM endpoint_drain WHERE service = ? AND address = ?",
                arguments: [service, address])
        }
    }

    private static func overrides(in connection: Database) throws -> [TrafficOverride] {
        let sql = "SELECT * FROM traffic_override ORDER BY service"
        return try Row.fetchAll(connection, sql: sql).map { row in
            TrafficOverride(
                service: row["service"],
                weights: try decoded([String: Int].self, row["weights_json"]),
                fileFingerprint: row["file_fingerprint"], createdAt: date(row["created_at"]))
        }
    }

    private static func drains(in connection: Database) throws -> [EndpointDrain] {
        let sql = "SELECT * FROM endpoint_drain ORDER BY service, address"
        return try Row.fetchAll(connection, sql: sql).map { row in
            EndpointDrain(
                service: row["service"], address: row["address"], isDrained: row["is_drained"],
                fileFingerprint: row["file_fingerprint"], createdAt: date(row["created_at"]))
        }
    }

    private static func generation(in connection: Database) throws -> UInt64 {
        let sql = "SELECT value FROM setting WHERE key = 'plan_generation'"
        return try String.fetchOne(connection, sql: sql).flatMap(UInt64.init) ?? 0
    }

    static func set(_ key: String, to value: String, in connection: Database) throws {
        try connection.execute(
            sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)", arguments: [key, value])
    }

    private static func append(_ change: ChangeRecord, in connection: Database) throws {
        try connection.execute(
            sql: "INSERT INTO change (at, actor, action, target, detail_json) "
                + "VALUES (?, ?, ?, ?, ?)",
            arguments: [
                milliseconds(change.at), change.actor, change.action, change.target,
                try json(change.detail),
            ])
    }

    static func changes(in connection: Database, limit: Int) throws -> [ChangeRecord] {
        try Row.fetchAll(
            connection, sql: "SELECT * FROM change ORDER BY id DESC LIMIT ?", arguments: [limit]
        ).map { row in
            ChangeRecord(
                at: date(row["at"]), actor: row["actor"], action: row["action"],
                target: row["target"],
                detail: try decoded([String: String].self, row["detail_json"]))
        }
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func decoded<Value: Decodable>(
        _ type: Value.Type, _ text: String
    ) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private static func milliseconds(_ date: Date) -> Int64 {
        Int64((date.timeIntervalSince1970 * 1000).rounded())
    }

    private static func date(_ milliseconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
