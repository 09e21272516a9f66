// Backup while serving, restore, and what must not go on as if nothing had happened.
// Directories stand for machines: what is restored elsewhere has nothing but the backup.

import Fixtures
import Foundation
import GRDB
import State
import Testing

@Suite struct BackupTests {
    let scratch = ScratchFolder()
    let other = ScratchFolder()
    let shelf = ScratchFolder()

    init() throws {
        try FileManager.default.createDirectory(at: shelf.url, withIntermediateDirectories: true)
    }

    private var file: URL { shelf.file("penstock.backup") }

    private func filled(_ count: Int = 3) async throws -> Store {
        let store = try Store(directory: scratch.url)
        for index in 0..<count {
            var transaction = Sample.put(DocumentKey(.replica, "r\(index)"))
            transaction.audit = [AuditDraft("make", DocumentKey(.replica, "r\(index)"))]
            try await store.commit(transaction)
        }
        return store
    }

    private func restore(
        into directory: URL, replacing: Bool = false, from backup: URL? = nil
    ) throws -> RestoreReport {
        try StateDirectory.restore(
            from: backup ?? file, into: directory, replacing: replacing, at: Sample.after(100),
            by: "cli")
    }

    @Test func `a backup restored elsewhere has everything`() async throws {
        let store = try await filled()
        let report = try await store.backup(to: file)
        #expect(report.sequence == 3)
        #expect(report.auditEntries == 3)
        #expect(try Int64(Data(contentsOf: file).count) == report.bytes)
        #expect(try shelf.permissions(of: file) == 0o600)
        #expect(try restore(into: other.url).replaced == nil)
        let restored = try Store(directory: other.url)
        #expect(
            try await restored.all(DocumentQuery(.replica))
                == store.all(DocumentQuery(.replica)))
        let verdict = try await restored.verifyAudit()
        #expect(verdict.isIntact)
        #expect(try await restored.audit(AuditQuery()).entries.first?.action == "state.restore")
    }

    @Test func `a backup is of one moment while commits go on`() async throws {
        let store = try await filled()
        let writing = Task {
            var pairs = 0
            while !Task.isCancelled {
                var transaction = Sample.transaction()
                for side in ["left", "right"] {
                    transaction.edits.append(
                        .put(
                            DocumentDraft(DocumentKey(.deployment, side), .any, spec: "\(pairs)")))
                }
                try await store.commit(transaction)
                pairs += 1
            }
        }
        for round in 0..<5 {
            let copy = shelf.file("\(round)")
            _ = try await store.backup(to: copy)
            let specs = try await DatabaseQueue(path: copy.path(percentEncoded: false)).read {
                try String.fetchAll(
                    $0, sql: "SELECT DISTINCT spec FROM document WHERE kind = 'deployment'")
            }
            #expect(specs.count <= 1, "round \(round)")
        }
        writing.cancel()
        try await writing.value
    }

    @Test func `a running process's directory is not restored into`() async throws {
        let store = try await filled()
        _ = try await store.backup(to: file)
        #expect {
            try restore(into: scratch.url, replacing: true)
        } throws: {
            if case StateError.inUse = $0 { true } else { false }
        }
        #expect(try await store.document(DocumentKey(.replica, "r0")) != nil)
    }

    @Test func `an existing state is kept beside, and only replaced if asked`() async throws {
        let store = try await filled()
        _ = try await store.backup(to: file)
        try await store.commit(Sample.put(Sample.iris))
        try store.close()
        #expect {
            try restore(into: scratch.url)
        } throws: {
            if case StateError.wouldReplace = $0 { true } else { false }
        }
        let report = try restore(into: scratch.url, replacing: true)
        let kept = try #require(report.replaced)
        let names = try await DatabaseQueue(path: kept).read {
            try String.fetchAll($0, sql: "SELECT name FROM document WHERE kind = 'deployment'")
        }
        #expect(names == ["iris"])
        let restored = try Store(directory: scratch.url)
        #expect(try await restored.document(Sample.iris) == nil)
        #expect(try await restored.verifyAudit().isIntact)
    }

    @Test func `watchers and versions of the time undone are refused`() async throws {
        let store = try await filled()
        _ = try await store.backup(to: file)
        let lost = try await store.commit(Sample.put(Sample.iris))
        try store.close()
        _ = try restore(into: scratch.url, replacing: true)
        let restored = try Store(directory: scratch.url)
        for since in [0, 2, lost.sequence] {
            await #expect {
                try await restored.watch([], since: since)
            } throws: {
                if case StateError.compacted = $0 { true } else { false }
            }
        }
        let commit = try await restored.commit(Sample.put(Sample.iris))
        #expect(commit.sequence > lost.sequence + 1_000_000)
    }

    @Test func `what is no backup is refused`() async throws {
        try Data("hello".utf8).write(to: file)
        #expect {
            try restore(into: other.url)
        } throws: {
            if case StateError.notABackup = $0 { true } else { false }
        }
        let stranger = shelf.file("stranger.db")
        let queue = try DatabaseQueue(path: stranger.path(percentEncoded: false))
        try await queue.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        try queue.close()
        #expect {
            try restore(into: other.url, from: stranger)
        } throws: {
            if case StateError.notABackup = $0 { true } else { false }
        }
        #expect {
            try restore(into: other.url, from: shelf.file("nothing"))
        } throws: {
            if case StateError.notABackup = $0 { true } else { false }
        }
        #expect(!FileManager.default.fileExists(atPath: other.url.path(percentEncoded: false)))
    }

    @Test func `a damaged backup is refused`() async throws {
        let store = try await filled(200)
        _ = try await store.backup(to: file)
        var bytes = try Data(contentsOf: file)
        for index in 8192..<bytes.count where index % 3 == 0 { bytes[index] = 0xA5 }
        try bytes.write(to: file)
        #expect {
            try restore(into: other.url)
        } throws: {
            if case StateError.notABackup = $0 { true } else { false }
        }
    }

    @Test func `a backup overwrites nothing`() async throws {
        let store = try await filled()
        try Data("precious".utf8).write(to: file)
        let path = file.path(percentEncoded: false)
        await #expect(throws: StateError.wouldReplace(file: path)) {
            try await store.backup(to: file)
        }
        #expect(try Data(contentsOf: file) == Data("precious".utf8))
    }

    @Test func `a failed backup leaves no file`() async throws {
        let store = try await filled()
        await #expect {
            try await store.backup(to: shelf.file("no/such/folder"))
        } throws: {
            if case StateError.unusable = $0 { true } else { false }
        }
        let left = try FileManager.default.contentsOfDirectory(
            at: shelf.url, includingPropertiesForKeys: nil)
        #expect(left.isEmpty)
    }

    @Test func `secrets are not in a backup`() async throws {
        let store = try await filled()
        let token = try store.adminToken(now: Sample.moment)
        let key = Data(try store.stickyKey())
        _ = try await store.backup(to: file)
        let bytes = try Data(contentsOf: file)
        #expect(bytes.firstRange(of: Data(token.text.utf8)) == nil)
        #expect(bytes.firstRange(of: key) == nil)
    }

    @Test func `another process may back up and read the trail of a live directory`()
        async throws
    {
        let store = try await filled()
        let report = try await StateDirectory.backup(of: scratch.url, to: file)
        #expect(report.sequence == 3)
        let log = try StateDirectory.auditLog(of: scratch.url)
        #expect(try await log.verify().entriesChecked == 3)
        try await store.commit(Sample.put(Sample.iris))
    }
}
