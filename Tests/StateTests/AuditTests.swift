// The audit log: one with the change, chained, verifiable, and loud when somebody was at it.
// Who tampers here does it behind the store's back, as somebody with the file could.

import Fixtures
import Foundation
import GRDB
import State
import Testing

@Suite struct AuditTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        store = try Store(directory: scratch.url)
    }

    private func append(
        _ count: Int, actor: String = "alice", action: String = "deployment.scale",
        target: DocumentKey = Sample.iris, at: Date = Sample.moment
    ) async throws {
        for index in 0..<count {
            var transaction = Transaction(at: at.addingTimeInterval(Double(index)), actor: actor)
            transaction.audit = [
                AuditDraft(action, target, detail: ["to": "\(index)"], requestID: "r\(index)")
            ]
            try await store.commit(transaction)
        }
    }

    /// Changes the database behind the store's back.
    private func tamper(_ sql: String) throws {
        let path = scratch.file("penstock.db").path(percentEncoded: false)
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    @Test func `an entry says who did what to what, and what it was before and after`()
        async throws
    {
        var first = Sample.put(Sample.iris, .absent, spec: "1")
        first.audit = [AuditDraft("deployment.create", Sample.iris)]
        try await store.commit(first)
        var second = Sample.put(Sample.iris, .present, spec: "2")
        second.audit = [AuditDraft("deployment.patch", Sample.iris, requestID: "r1")]
        try await store.commit(second)
        var third = Sample.delete(Sample.iris)
        third.audit = [AuditDraft("deployment.delete", Sample.iris)]
        try await store.commit(third)
        let entries = try await store.audit(AuditQuery()).entries
        #expect(
            entries.map(\.action)
                == ["deployment.delete", "deployment.patch", "deployment.create"])
        #expect(entries.map(\.actor) == ["alice", "alice", "alice"])
        #expect(entries[1].requestID == "r1")
        #expect(entries[2].before.isEmpty)
        #expect(entries[2].after.utf8.count == 64)
        #expect(entries[1].before == entries[2].after)
        #expect(entries[1].after != entries[1].before)
        #expect(entries[0].before == entries[1].after)
        #expect(entries[0].after.isEmpty)
        #expect(entries[0].previousHash == entries[1].hash)
    }

    @Test func `entries are found by actor, target, action and time`() async throws {
        try await append(3)
        try await append(2, actor: "bob", action: "token.revoke", at: Sample.after(100))
        try await append(1, target: DocumentKey(.replica, "r1"), at: Sample.after(200))
        func count(_ query: AuditQuery) async throws -> Int {
            let page = try await store.audit(query)
            return page.entries.count
        }
        #expect(try await count(AuditQuery(actor: "bob")) == 2)
        #expect(try await count(AuditQuery(kind: .replica)) == 1)
        #expect(try await count(AuditQuery(kind: .deployment, name: "iris")) == 5)
        #expect(try await count(AuditQuery(action: "token.")) == 2)
        #expect(try await count(AuditQuery(since: Sample.after(100))) == 3)
        #expect(
            try await count(AuditQuery(since: Sample.after(1), before: Sample.after(101))) == 3)
    }

    @Test func `pages put together are the log`() async throws {
        try await append(7)
        var query = AuditQuery(pageSize: 3)
        var ids: [UInt64] = []
        repeat {
            let page = try await store.audit(query)
            ids += page.entries.map(\.id)
            query.pageToken = page.nextPageToken
        } while query.pageToken != nil
        #expect(ids == [7, 6, 5, 4, 3, 2, 1])
        await #expect(throws: StateError.badPageToken) {
            try await store.audit(AuditQuery(pageToken: "AAAA"))
        }
    }

    @Test func `an untouched chain is intact`() async throws {
        try await append(5)
        let verdict = try await store.verifyAudit()
        #expect(verdict.isIntact)
        #expect(verdict.entriesChecked == 5)
    }

    @Test(arguments: [
        ("UPDATE audit SET actor = 'mallory' WHERE id = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE id = 3", 3),
        ("UPDATE audit SET detail = '{\"to\":\"9\"}' WHERE id = 3", 3),
        ("UPDATE audit SET request_id = '' WHERE id = 3", 3),
        ("UPDATE audit SET hash = zeroblob(32) WHERE id = 3", 3),
        ("UPDATE audit SET previous_hash = zeroblob(32) WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("UPDATE audit SET action = name, name = action WHERE id = 2", 2),
        ("UPDATE audit SET id = 9 WHERE id = 3", 3),
    ])
    func `whatever is changed, the first bad entry is named`(sql: String, id: UInt64) async throws {
        try await append(5)
        try tamper(sql)
        let verdict = try await store.verifyAudit()
        #expect(!verdict.isIntact)
        #expect(verdict.firstBad == id)
        #expect(verdict.reason != nil)
    }

    @Test func `entries cut off at the end are missed by the signed checkpoint`() async throws {
        try await append(5)
        try await store.signAudit(now: Sample.after(10))
        #expect(try await store.verifyAudit().signedUpTo == 5)
        try tamper("DELETE FROM audit WHERE id > 3")
        let verdict = try await store.verifyAudit()
        #expect(!verdict.isIntact)
        #expect(verdict.firstBad == 4)
        #expect(try #require(verdict.reason).contains("signed checkpoint"))
    }

    @Test func `a log that was replaced whole does not agree with the checkpoint`() async throws {
        try await append(2)
        try await store.signAudit(now: Sample.after(10))
        try tamper("DELETE FROM audit")
        try await append(2, actor: "mallory")
        let verdict = try await store.verifyAudit()
        #expect(!verdict.isIntact)
        #expect(verdict.firstBad == 2)
        await #expect(throws: StateError.auditBroken(id: 2)) {
            try await store.signAudit(now: Sample.after(20))
        }
    }

    @Test func `a forged checkpoint is not believed`() async throws {
        try await append(3)
        var forged = try await store.signAudit(now: Sample.moment)
        #expect(forged.isGenuine)
        forged.lastID = 2
        #expect(!forged.isGenuine)
        let verdict = try await store.auditLog.verify(against: forged)
        #expect(!verdict.isIntact)
        #expect(try #require(verdict.reason).contains("signature"))
    }

    @Test func `the key and the checkpoint are for this user only`() async throws {
        try await append(1)
        try await store.signAudit(now: Sample.moment)
        try await store.signAudit(now: Sample.after(1))
        #expect(try scratch.permissions(of: scratch.file("audit.key")) == 0o600)
        #expect(try scratch.permissions(of: scratch.file("audit.checkpoint")) == 0o600)
    }

    @Test func `an export has every entry, oldest first, a line each`() async throws {
        for start in stride(from: 0, to: 1005, by: 201) {
            var transaction = Sample.transaction()
            transaction.audit = (start..<start + 201).map {
                AuditDraft("a", Sample.iris, detail: ["n": "\($0)"])
            }
            try await store.commit(transaction)
        }
        let lines = Lines()
        try await store.exportAudit { await lines.append($0) }
        let all = await lines.all
        #expect(all.count == 1005)
        #expect(all.allSatisfy { !$0.contains("\n") })
        let first = try JSONText.decode(AuditEntry.self, from: try #require(all.first), of: "line")
        let last = try JSONText.decode(AuditEntry.self, from: try #require(all.last), of: "line")
        #expect(first.id == 1)
        #expect(last.id == 1005)
        #expect(first.at == Sample.moment)
    }

    @Test func `the oldest entries are let go and the chain stays whole`() async throws {
        var options = StoreOptions()
        options.retention.auditEntries = 10
        let other = ScratchFolder()
        let small = try Store(directory: other.url, options: options)
        for index in 0..<25 {
            var transaction = Sample.transaction(at: Sample.after(Double(index)))
            transaction.audit = [AuditDraft("a", Sample.iris)]
            try await small.commit(transaction)
        }
        let report = try await small.upkeep(now: Sample.after(30))
        #expect(report.auditEntries == 15)
        let verdict = try await small.verifyAudit()
        #expect(verdict.isIntact)
        #expect(verdict.entriesChecked == 10)
        #expect(verdict.signedUpTo == 25)
    }
}

/// Lines as they come.
actor Lines {
    private(set) var all: [String] = []

    func append(_ line: String) { all.append(line) }
}
