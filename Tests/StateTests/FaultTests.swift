// Disks that are full and databases that others hold: reading goes on, changes are refused with the
// reason, nothing that was acknowledged is lost, and the first commit that can be stored is taken.

import Fixtures
import Foundation
import GRDB
import State
import Testing

@Suite struct FaultTests {
    let scratch = ScratchFolder()

    private var path: String { scratch.file("penstock.db").path(percentEncoded: false) }

    private func store(bytes: Int64 = 4 << 20) throws -> Store {
        var options = StoreOptions()
        options.databaseBytes = bytes
        options.patience = .zero
        return try Store(directory: scratch.url, options: options)
    }

    private func big(_ index: Int) -> Transaction {
        let text = "\"" + String(repeating: "x", count: 20_000) + "\""
        return Sample.put(DocumentKey(.replica, "r\(index)"), .absent, spec: text)
    }

    /// Commits until one is refused; how many were taken, and the refusal.
    private func fill(_ store: Store) async throws -> (Int, StateError?) {
        for index in 0..<1000 {
            if let refusal = try await store.refusal(big(index)) { return (index, refusal) }
        }
        return (1000, nil)
    }

    @Test func `a full database refuses changes and serves what it has`() async throws {
        let store = try store(bytes: 1 << 20)
        let (taken, refusal) = try await fill(store)
        #expect(refusal == .full(file: path))
        #expect(taken > 3)
        let reason = try #require(store.readOnlyReason)
        #expect(reason.contains("disk is full"))
        #expect(refusal?.isUnavailable == true)
        #expect(try await store.all(DocumentQuery(.replica)).count == taken)
        #expect(try await store.verifyAudit().isIntact)
        var watch = try await store.watch([], since: 0)
        #expect(try await watch.next(within: .seconds(5)).count == taken)
    }

    @Test func `room made ends the refusals, and nothing was lost`() async throws {
        let taken: Int
        do {
            let store = try store(bytes: 1 << 20)
            taken = try await fill(store).0
            #expect(store.readOnlyReason != nil)
        }
        let store = try store()
        #expect(store.readOnlyReason == nil)
        #expect(try await store.all(DocumentQuery(.replica)).count == taken)
        #expect(try await store.refusal(big(1000)) == nil)
    }

    @Test func `a store that is full takes a deletion`() async throws {
        let store = try store(bytes: 1 << 20)
        let (taken, _) = try await fill(store)
        var transaction = Sample.transaction()
        transaction.edits = (0..<taken).map { .purge(DocumentKey(.replica, "r\($0)"), .any) }
        // The log of changes needs room for what it says of each.
        _ = try await store.refusal(transaction)
        _ = try await store.upkeep(now: Sample.after(48 * 3600))
        #expect(try await store.refusal(transaction) == nil)
        #expect(store.readOnlyReason == nil)
    }

    @Test func `somebody else's lock is waited for, told, and over when it is over`() async throws {
        let store = try store()
        try await store.commit(Sample.put(Sample.iris, spec: "1"))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(try await store.refusal(Sample.put(Sample.iris, spec: "2")) == .locked(file: path))
        #expect(store.readOnlyReason != nil)
        #expect(try await store.document(Sample.iris)?.spec == "1")
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        #expect(try await store.refusal(Sample.put(Sample.iris, spec: "3")) == nil)
        #expect(store.readOnlyReason == nil)
        #expect(try await store.document(Sample.iris)?.spec == "3")
    }

    @Test func `a refused condition is no fault of the store`() async throws {
        let store = try store()
        let refusal = try await store.refusal(Sample.put(Sample.iris, .present))
        #expect(refusal == .missing(Sample.iris))
        #expect(refusal?.isUnavailable == false)
        #expect(store.readOnlyReason == nil)
    }

    @Test func `a closed store says so`() async throws {
        let store = try store()
        try store.close()
        try store.close()
        #expect(try await store.refusal(Sample.put(Sample.iris)) == .closed)
        await #expect(throws: StateError.closed) { try await store.document(Sample.iris) }
        await #expect(throws: StateError.closed) { try await store.watch([], since: 0) }
    }

    @Test func `tokens are known while nothing can be stored`() async throws {
        let made: NewToken
        do {
            let store = try store()
            made = try await store.createToken(
                TokenDraft(grants: [Grant(.viewer)], note: ""), by: "alice", now: Sample.moment)
        }
        let store = try store(bytes: 4096)
        #expect(try await store.refusal(big(0)) == .full(file: path))
        #expect(try await store.authenticate(made.secret.text, now: Sample.after(90)) != nil)
    }
}
