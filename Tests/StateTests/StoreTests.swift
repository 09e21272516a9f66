// The state directory: what it remembers, whom it lets in, and how it says no.
// Each test has a directory of its own; a second `Store` over it is the next process.

import Fixtures
import Foundation
import GRDB
import State
import Testing

@Suite struct StoreTests {
    let scratch = ScratchFolder()
    let moment = Date(timeIntervalSince1970: 1_700_000_000.125)

    func override(_ weights: [String: Int]) -> TrafficOverride {
        TrafficOverride(
            service: "echo", weights: weights, fileFingerprint: "canary=50,stable=950",
            createdAt: moment)
    }

    @Test func `a committed transition is read back by the next process`() throws {
        let drain = EndpointDrain(
            service: "echo", address: "unix:/run/a.sock", isDrained: true,
            fileFingerprint: "drained=false", createdAt: moment)
        let split = override(["stable": 900, "canary": 100])
        do {
            let store = try Store(directory: scratch.url)
            try store.commit(
                TrafficTransition(
                    generation: 7, at: moment, edits: [.setSplit(split), .setDrain(drain)]))
        }
        let memory = try Store(directory: scratch.url).trafficMemory()
        #expect(memory.overrides == [split])
        #expect(memory.drains == [drain])
        #expect(memory.generation == 7)
    }

    @Test func `closing while many read lets each read end or be refused, and frees the directory`()
        async throws
    {
        for _ in 0..<20 {
            let store = try Store(directory: scratch.url)
            await withTaskGroup { group in
                for _ in 0..<16 {
                    group.addTask {
                        do {
                            _ = try await store.sequence()
                        } catch {
                            #expect(error as? StateError == .closed)
                        }
                    }
                }
                group.addTask { #expect(throws: Never.self) { try store.close() } }
            }
        }
        #expect(throws: Never.self) { try Store(directory: scratch.url) }
    }

    @Test func `an edit can be taken back`() throws {
        let store = try Store(directory: scratch.url)
        try store.commit(
            TrafficTransition(
                generation: 1, at: moment, edits: [.setSplit(override(["stable": 1000]))]))
        try store.commit(
            TrafficTransition(
                generation: 2, at: moment, edits: [.clearSplit(service: "echo")]))
        #expect(try store.trafficMemory().overrides.isEmpty)
    }

    @Test func `a change and its audit record are one transaction`() async throws {
        let store = try Store(directory: scratch.url)
        let record = ChangeRecord(
            at: moment, actor: "api", action: "traffic.set", target: "echo",
            detail: ["canary": "100"])
        let transition = TrafficTransition(
            generation: 3, at: moment, edits: [.setSplit(override(["stable": 1000]))],
            changes: [record])
        try (store as any TrafficStore).commit(transition)
        #expect(throws: StateError.staleGeneration(stored: 3, offered: 3)) {
            try (store as any TrafficStore).commit(transition)
        }
        let entries = try await store.audit(AuditQuery()).entries
        #expect(entries.map(\.action) == ["traffic.set"])
        #expect(entries.map(\.name) == ["echo"])
        #expect(entries.first?.detail == record.detail)
    }

    @Test func `a second process is told who holds the directory`() throws {
        let first = try Store(directory: scratch.url)
        let holder = "pid \(ProcessInfo.processInfo.processIdentifier)"
        let path = scratch.file("lock").path(percentEncoded: false)
        #expect(throws: StateError.inUse(file: path, holder: holder)) {
            try Store(directory: scratch.url)
        }
        withExtendedLifetime(first) {}
    }

    @Test func `the directory and its secrets are for this user only`() throws {
        let store = try Store(directory: scratch.url)
        _ = try store.adminToken(now: moment)
        _ = try store.stickyKey()
        #expect(try scratch.permissions(of: scratch.url) == 0o700)
        #expect(try scratch.permissions(of: scratch.file("admin.token")) == 0o600)
        #expect(try scratch.permissions(of: scratch.file("sticky.key")) == 0o600)
        #expect(try scratch.permissions(of: scratch.file("penstock.db")) == 0o600)
        #expect(try scratch.permissions(of: scratch.file("penstock.db-wal")) == 0o600)
    }

    @Test func `a database that came with wider permissions gets narrow ones`() throws {
        try Store(directory: scratch.url).close()
        let path = scratch.file("penstock.db").path(percentEncoded: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let store = try Store(directory: scratch.url)
        #expect(try scratch.permissions(of: scratch.file("penstock.db")) == 0o600)
        withExtendedLifetime(store) {}
    }

    @Test func `secrets are made once`() throws {
        let store = try Store(directory: scratch.url)
        #expect(try store.adminToken(now: moment) == store.adminToken(now: moment))
        #expect(try store.stickyKey() == store.stickyKey())
        #expect(try store.stickyKey().count == 16)
    }

    @Test func `a damaged token file is named`() throws {
        let store = try Store(directory: scratch.url)
        try Data("pst_acut".utf8).write(to: scratch.file("admin.token"))
        #expect {
            try store.adminToken(now: moment)
        } throws: { error in
            "\(error)".contains("admin.token") && "\(error)".contains("delete the file")
        }
    }

    @Test(arguments: [0, 2000])
    func `a damaged database is named, with what to do`(offset: Int) throws {
        try makeDatabase()
        let file = scratch.file("penstock.db")
        var bytes = try Data(contentsOf: file)
        for index in offset..<bytes.count where index % 3 == 0 { bytes[index] = 0xA5 }
        try bytes.write(to: file)
        #expect {
            try Store(directory: scratch.url)
        } throws: { error in
            guard case StateError.corrupt(let named, _) = error else { return false }
            return named.hasSuffix("penstock.db") && "\(error)".contains("restore a backup")
        }
    }

    @Test func `a locked database refuses the commit and keeps what it had`() throws {
        var options = StoreOptions()
        options.patience = .zero
        let store = try Store(directory: scratch.url, options: options)
        try store.commit(TrafficTransition(generation: 1, at: moment))
        let path = scratch.file("penstock.db").path(percentEncoded: false)
        let other = try DatabaseQueue(path: path)
        try other.writeWithoutTransaction { connection in
            try connection.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: StateError.locked(file: path)) {
                try store.commit(TrafficTransition(generation: 2, at: moment))
            }
            #expect(try store.trafficMemory().generation == 1)
            try connection.execute(sql: "ROLLBACK")
        }
        try store.commit(TrafficTransition(generation: 2, at: moment))
        #expect(try store.trafficMemory().generation == 2)
    }

    @Test func `a database of a later version is left alone`() throws {
        _ = try Store(directory: scratch.url)
        let path = scratch.file("penstock.db").path(percentEncoded: false)
        try DatabaseQueue(path: path).write { connection in
            try connection.execute(sql: "INSERT INTO grdb_migrations VALUES ('9 later')")
        }
        #expect(throws: StateError.tooNew(file: path)) { try Store(directory: scratch.url) }
    }

    @Test func `settings are kept by name`() throws {
        let store = try Store(directory: scratch.url)
        #expect(try store.setting("colour") == nil)
        try store.setSetting("colour", to: "blue")
        try store.setSetting("colour", to: "green")
        #expect(try store.setting("colour") == "green")
    }

    @Test func `a report tells sizes, numbers and what there is`() async throws {
        let store = try Store(directory: scratch.url)
        try await store.commit(Sample.put(Sample.iris))
        try await store.commit(Sample.put(DocumentKey(.replica, "a")))
        try await store.commit(Sample.put(DocumentKey(.replica, "b")))
        try await store.commit(Sample.delete(DocumentKey(.replica, "a")))
        let report = try await store.report()
        #expect(report.databaseBytes > 4096)
        #expect(report.logBytes > 0)
        #expect(report.sequence == 4)
        #expect(report.oldestSequence == 0)
        #expect(report.documents == ["deployment": 1, "replica": 1])
        #expect(report.readOnlyReason == nil)
        #expect(!report.schema.isEmpty)
    }

    /// Enough rows for several pages, and no log, whose pages would stand for damaged ones.
    private func makeDatabase() throws {
        try fillDatabase()
        let path = scratch.file("penstock.db").path(percentEncoded: false)
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try queue.close()
    }

    private func fillDatabase() throws {
        let store = try Store(directory: scratch.url)
        for generation in 1...20 {
            let record = ChangeRecord(
                at: moment, actor: "api", action: "traffic.set", target: "echo",
                detail: ["note": String(repeating: "x", count: 900)])
            try store.commit(
                TrafficTransition(generation: UInt64(generation), at: moment, changes: [record]))
        }
    }
}
