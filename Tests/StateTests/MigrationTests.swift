// A database as the first version left it becomes one of today, with everything in it. The schema
// of then is written out here, for the migration must not depend on what the code says today.

import Fixtures
import Foundation
import GRDB
import State
import Testing

@Suite struct MigrationTests {
    let scratch = ScratchFolder()

    private var path: String { scratch.file("penstock.db").path(percentEncoded: false) }

    private func makeFirstVersion() throws {
        try FileManager.default.createDirectory(
            at: scratch.url, withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: path)
        try queue.write { connection in
            try connection.execute(sql: Self.schema)
            try connection.execute(
                sql: """
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations VALUES ('1 traffic');
                    INSERT INTO traffic_override VALUES
                        ('echo', '{"canary":100,"stable":900}', 'canary=50', 1700000000125, 7);
                    INSERT INTO endpoint_drain VALUES
                        ('echo', 'unix:/run/a b.sock', 1, 'drained=false', 1700000000125);
                    INSERT INTO setting VALUES ('plan_generation', '7'), ('colour', 'blue');
                    INSERT INTO change VALUES
                        (1, 1700000000000, 'api', 'traffic.set', 'echo', '{"canary":"100"}'),
                        (4, 1700000000125, 'api', 'endpoint.drain', 'echo', '{}');
                    """)
        }
        try queue.close()
    }

    @Test func `overrides, drains, generation and settings are kept`() throws {
        try makeFirstVersion()
        let store = try Store(directory: scratch.url)
        let memory = try store.trafficMemory()
        #expect(
            memory.overrides == [
                TrafficOverride(
                    service: "echo", weights: ["canary": 100, "stable": 900],
                    fileFingerprint: "canary=50", createdAt: Sample.moment)
            ])
        #expect(
            memory.drains == [
                EndpointDrain(
                    service: "echo", address: "unix:/run/a b.sock", isDrained: true,
                    fileFingerprint: "drained=false", createdAt: Sample.moment)
            ])
        #expect(memory.generation == 7)
        #expect(try store.setting("colour") == "blue")
    }

    @Test func `what was recorded is the beginning of the audit chain`() async throws {
        try makeFirstVersion()
        let store = try Store(directory: scratch.url)
        let entries = try await store.audit(AuditQuery()).entries
        #expect(entries.map(\.id) == [2, 1])
        #expect(entries.map(\.action) == ["endpoint.drain", "traffic.set"])
        #expect(entries.map(\.at) == [Sample.moment, Sample.after(-0.125)])
        #expect(entries.last?.detail == ["canary": "100"])
        let verdict = try await store.verifyAudit()
        #expect(verdict.isIntact)
        #expect(verdict.entriesChecked == 2)
    }

    @Test func `a migrated file can shrink`() throws {
        try makeFirstVersion()
        try Store(directory: scratch.url).close()
        let mode = try DatabaseQueue(path: path).read {
            try Int.fetchOne($0, sql: "PRAGMA auto_vacuum")
        }
        #expect(mode == 2)
    }

    @Test func `a migration that cannot be done leaves the file as it was`() throws {
        try makeFirstVersion()
        let queue = try DatabaseQueue(path: path)
        try queue.write { connection in
            try connection.execute(
                sql: "UPDATE traffic_override SET weights_json = 'nonsense'")
        }
        try queue.close()
        #expect {
            try Store(directory: scratch.url)
        } throws: {
            if case StateError.unreadable = $0 { true } else { false }
        }
        let tables = try DatabaseQueue(path: path).read {
            try String.fetchAll($0, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        #expect(tables.contains("traffic_override"))
        #expect(!tables.contains("document"))
    }

    private static let schema = """
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
}
