// Leases: one holder at a time, and a number that stops the one who was overtaken.

import Fixtures
import Foundation
import State
import Testing

@Suite struct LeaseTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        store = try Store(directory: scratch.url)
    }

    private func acquire(_ holder: String, at seconds: TimeInterval = 0) async throws -> Lease {
        try await store.acquireLease(
            "leader", holder: holder, lasting: .seconds(10), now: Sample.after(seconds))
    }

    @Test func `a lease is one holder's until it ends`() async throws {
        let first = try await acquire("a")
        #expect(first.expiresAt == Sample.after(10))
        await #expect(
            throws: StateError.leaseHeld(name: "leader", holder: "a", until: Sample.after(10))
        ) { try await acquire("b", at: 9) }
        #expect(try await acquire("b", at: 10).token > first.token)
    }

    @Test func `its holder prolongs it and keeps the number`() async throws {
        let first = try await acquire("a")
        let longer = try await acquire("a", at: 5)
        #expect(longer.token == first.token)
        #expect(longer.expiresAt == Sample.after(15))
    }

    @Test func `whoever was overtaken cannot commit`() async throws {
        let first = try await acquire("a")
        var transaction = Sample.put(Sample.iris, at: Sample.after(5))
        transaction.checks = [.lease(name: "leader", token: first.token)]
        try await store.commit(transaction)
        let second = try await acquire("b", at: 20)
        transaction.at = Sample.after(21)
        #expect(try await store.refusal(transaction) == .fenced(lease: "leader"))
        transaction.checks = [.lease(name: "leader", token: second.token)]
        try await store.commit(transaction)
        transaction.at = Sample.after(40)
        #expect(try await store.refusal(transaction) == .fenced(lease: "leader"))
    }

    @Test func `a lease given back is free, one that passed on is not given back`() async throws {
        let first = try await acquire("a")
        try await store.releaseLease(first)
        let second = try await acquire("b", at: 1)
        #expect(second.token > first.token)
        try await store.releaseLease(first)
        await #expect(
            throws: StateError.leaseHeld(name: "leader", holder: "b", until: Sample.after(11))
        ) { try await acquire("a", at: 2) }
    }
}
