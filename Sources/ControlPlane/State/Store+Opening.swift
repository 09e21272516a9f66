// How the database is opened: pragmas, soundness, schema, and SQLite's error codes turned into
// words. A schema step, once released, is never edited; a new one is added below it.

import Foundation
import GRDB

extension Store {
    static func configuration(patience: TimeInterval) -> Configuration {
        var configuration = Configuration()
        configuration.label = "penstock.state"
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return configuration
    }

    static func check(_ database: DatabaseQueue) throws {
        let verdict = try translating(database.path) {
            try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        }
        guard verdict == "ok" else {
            throw StateError.corrupt(file: database.path, reason: verdict ?? "no answer")
        }
    }

    static func migrate(_ database: DatabaseQueue) throws {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 traffic") { try $0.execute(sql: trafficSchema) }
        try translating(database.path) {
            guard try !database.read(migrator.hasBeenSuperseded) else {
                throw StateError.tooNew(file: database.path)
            }
            try migrator.migrate(database)
        }
    }

    private static let trafficSchema = """
        CREATE TABLE traffic_override (
            service TEXT PRIMARY KEY NOT NULL,
            weights_json TEXT NOT NULL,
            file_fingerprint TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            generation INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE endpoint_drain (
            service TEXT NOT NULL,
            address TEXT NOT NULL,
            is_drained INTEGER NOT NULL,
            file_fingerprint TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (service, address)
        ) STRICT;
        CREATE TABLE setting (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) STRICT;
        CREATE TABLE change (
            id INTEGER PRIMARY KEY NOT NULL,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            detail_json TEXT NOT NULL
        ) STRICT;
        """

    func translating<Value>(_ body: () throws -> Value) throws -> Value {
        try Store.translating(database.path, body)
    }

    /// Gives SQLite's result codes the words an operator needs.
    static func translating<Value>(_ file: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            let reason = error.message ?? error.resultCode.description
            switch error.resultCode {
            case .SQLITE_FULL: throw StateError.full(file: file)
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw StateError.locked(file: file)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                throw StateError.corrupt(file: file, reason: reason)
            default: throw StateError.unusable(file: file, reason: reason)
            }
        }
    }
}
