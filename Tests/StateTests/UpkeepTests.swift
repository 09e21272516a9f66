// Upkeep: what is too old or too much goes, what is needed stays, and the file gets smaller.
// Retention is made small; time is an argument.

import Fixtures
import Foundation
import State
import Testing

@Suite struct UpkeepTests {
    let scratch = ScratchFolder()

    private func store(_ change: (inout Retention) -> Void = { _ in }) throws -> Store {
        var options = StoreOptions()
        change(&options.retention)
        return try Store(directory: scratch.url, options: options)
    }

    private func bury(_ name: String, in store: Store, at seconds: TimeInterval) async throws {
        let key = DocumentKey(.replica, name)
        try await store.commit(Sample.put(key, .absent, at: Sample.after(seconds)))
        var transaction = Sample.delete(key)
        transaction.at = Sample.after(seconds)
        try await store.commit(transaction)
    }

    @Test func `tombstones go by age and by number, the oldest first`() async throws {
        let store = try store {
            $0.tombstones = 2
            $0.tombstoneAgeSeconds = 1000
        }
        for index in 0..<5 { try await bury("\(index)", in: store, at: Double(index)) }
        #expect(try await store.upkeep(now: Sample.after(10)).tombstones == 3)
        #expect(try await store.tombstone(DocumentKey(.replica, "2")) == nil)
        #expect(try await store.tombstone(DocumentKey(.replica, "3")) != nil)
        #expect(try await store.upkeep(now: Sample.after(1003.5)).tombstones == 1)
        #expect(try await store.tombstone(DocumentKey(.replica, "4")) != nil)
    }

    @Test func `live documents are never let go`() async throws {
        let store = try store {
            $0.tombstones = 0
            $0.tombstoneAgeSeconds = 0
            $0.changes = 0
        }
        try await store.commit(Sample.put(Sample.iris))
        _ = try await store.upkeep(now: Sample.after(1e9))
        #expect(try await store.document(Sample.iris) != nil)
    }

    @Test func `tokens that ended long ago go, the revoked one of the first start stays`()
        async throws
    {
        let store = try store()
        _ = try store.adminToken(now: Sample.moment)
        let made = try await store.createToken(
            TokenDraft(grants: [Grant(.viewer)], note: "", lifetime: .seconds(60)),
            by: "alice", now: Sample.moment)
        let all = try await store.tokens()
        let first = try #require(all.first(where: \.isBootstrap)?.id)
        try await store.revokeToken(first, by: "alice", now: Sample.moment)
        #expect(try await store.upkeep(now: Sample.after(3600)).tokens == 0)
        #expect(try await store.upkeep(now: Sample.after(31 * 24 * 3600)).tokens == 1)
        #expect(try await store.token(made.record.id) == nil)
        #expect(try await store.token(first) != nil)
    }

    @Test func `space is given back to the file system`() async throws {
        let store = try store {
            $0.changes = 1
            $0.changesBetweenCuts = 1
        }
        let text = "\"" + String(repeating: "x", count: 100_000) + "\""
        for index in 0..<40 {
            try await store.commit(Sample.put(DocumentKey(.replica, "\(index)"), spec: text))
        }
        let full = try await store.report().databaseBytes
        for index in 0..<40 {
            var transaction = Sample.transaction()
            transaction.edits = [.purge(DocumentKey(.replica, "\(index)"), .any)]
            try await store.commit(transaction)
        }
        let freed = try await store.upkeep(now: Sample.after(1)).pagesFreed
        #expect(freed > 500)
        let report = try await store.report()
        #expect(report.databaseBytes < full / 4)
        #expect(report.freeBytes == 0)
    }

    @Test func `each round signs how far the log reaches`() async throws {
        let store = try store()
        var transaction = Sample.transaction()
        transaction.audit = [AuditDraft("a", Sample.iris)]
        try await store.commit(transaction)
        _ = try await store.upkeep(now: Sample.after(1))
        #expect(try await store.verifyAudit().signedUpTo == 1)
    }
}
