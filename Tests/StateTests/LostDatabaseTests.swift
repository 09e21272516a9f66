// A database that was emptied, lost or put back: the signed checkpoint beside it knows better, and
// nothing is started on what is left.

import Fixtures
import Foundation
import State
import Testing

@Suite struct LostDatabaseTests {
    let scratch = ScratchFolder()

    private var database: URL { scratch.file("penstock.db") }

    private func fill(_ store: Store, _ count: Int) async throws {
        for index in 0..<count {
            var transaction = Sample.transaction()
            transaction.audit = [AuditDraft("make", DocumentKey(.replica, "r\(index)"))]
            try await store.commit(transaction)
        }
    }

    /// Commits, signs, closes.
    private func use(_ count: Int = 3) async throws {
        let store = try Store(directory: scratch.url)
        try await fill(store, count)
        try await store.signAudit(now: Sample.after(1))
        try store.close()
    }

    private func remove(_ endings: [String]) throws {
        for ending in endings {
            let path = database.path(percentEncoded: false) + ending
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    private var refusal: StateError? {
        do {
            try Store(directory: scratch.url).close()
            return nil
        } catch {
            return error as? StateError
        }
    }

    private func isBehind(_ entries: UInt64, _ vouched: UInt64) -> Bool {
        refusal
            == .behind(
                file: database.path(percentEncoded: false), entries: entries,
                checkpoint: scratch.file("audit.checkpoint").path(percentEncoded: false),
                vouched: vouched)
    }

    @Test func `an emptied database is refused, and stays as it is`() async throws {
        try await use()
        try remove(["-wal", "-shm"])
        try Data().write(to: database)
        #expect(isBehind(0, 3))
        #expect(try Data(contentsOf: database).isEmpty)
        #expect("\(try #require(refusal))".contains("penstock restore"))
    }

    @Test func `one that is gone is refused, and none is made`() async throws {
        try await use()
        try remove(["-wal", "-shm", ""])
        #expect(isBehind(0, 3))
        #expect(!FileManager.default.fileExists(atPath: database.path(percentEncoded: false)))
    }

    @Test func `an older copy put in its place is refused`() async throws {
        let store = try Store(directory: scratch.url)
        try await fill(store, 2)
        let copy = scratch.file("copy")
        _ = try await store.backup(to: copy)
        try await fill(store, 3)
        try await store.signAudit(now: Sample.after(1))
        try store.close()
        try remove(["-wal", "-shm", ""])
        try FileManager.default.copyItem(at: copy, to: database)
        #expect(isBehind(2, 5))
    }

    @Test func `emptied before anything was signed it is refused, too`() async throws {
        try Store(directory: scratch.url).close()
        try remove(["-wal", "-shm"])
        try Data().write(to: database)
        guard case .corrupt(_, "it is empty, and was not") = refusal else {
            Issue.record("\(String(describing: refusal))")
            return
        }
    }

    @Test func `with the checkpoint away, too, it starts afresh`() async throws {
        try await use()
        try remove(["-wal", "-shm", ""])
        try FileManager.default.removeItem(at: scratch.file("audit.checkpoint"))
        #expect(refusal == nil)
    }

    @Test func `a backup restored over it starts`() async throws {
        let store = try Store(directory: scratch.url)
        try await fill(store, 2)
        let copy = scratch.file("copy")
        _ = try await store.backup(to: copy)
        try await fill(store, 3)
        try await store.signAudit(now: Sample.after(1))
        try store.close()
        try remove(["-wal", "-shm"])
        try Data().write(to: database)
        _ = try StateDirectory.restore(
            from: copy, into: scratch.url, replacing: true, at: Sample.after(100), by: "cli")
        #expect(refusal == nil)
    }

    @Test func `a checkpoint that nobody signed vouches for nothing`() async throws {
        try await use()
        let file = scratch.file("audit.checkpoint")
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacing("\"last_id\":3", with: "\"last_id\":9")
            .write(to: file, atomically: true, encoding: .utf8)
        #expect(refusal == nil)
    }
}
