// The outbox: a message is there exactly if its change is, and stays until it is delivered.

import Fixtures
import Foundation
import State
import Testing

@Suite struct OutboxTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        var options = StoreOptions()
        options.retention.outboxMessages = 3
        store = try Store(directory: scratch.url, options: options)
    }

    private func send(_ payloads: String..., topic: String = "webhook") async throws {
        var transaction = Sample.transaction()
        transaction.outbox = payloads.map { OutboxDraft(topic: topic, payload: $0) }
        try await store.commit(transaction)
    }

    private func due(_ seconds: TimeInterval = 0) async throws -> [OutboxMessage] {
        try await store.dueMessages(topic: "webhook", now: Sample.after(seconds))
    }

    @Test func `messages are due in their order, by topic, until delivered`() async throws {
        try await send("1", "2")
        try await send("3", topic: "trigger")
        let messages = try await due()
        #expect(messages.map(\.payload) == ["1", "2"])
        try await store.delivered(messages[0].id)
        #expect(try await due().map(\.payload) == ["2"])
    }

    @Test func `a message that failed comes back when it is its turn`() async throws {
        try await send("1")
        let message = try #require(try await due().first)
        try await store.notDelivered(message.id, because: "refused", retryAt: Sample.after(60))
        #expect(try await due(59).isEmpty)
        let again = try #require(try await due(60).first)
        #expect(again.attempts == 1)
        #expect(again.lastError == "refused")
    }

    @Test func `a message that was given up can be looked at and replayed`() async throws {
        try await send("1")
        let id = try #require(try await due().first?.id)
        try await store.notDelivered(id, because: "gone", retryAt: nil)
        #expect(try await due(1e6).isEmpty)
        #expect(try await store.deadMessages(topic: "webhook").map(\.id) == [id])
        try await store.replay(id, now: Sample.after(5))
        #expect(try await due(5).map(\.attempts) == [0])
    }

    @Test func `too many attempts give up by themselves`() async throws {
        try await send("1")
        let id = try #require(try await due().first?.id)
        for _ in 0..<30 {
            try await store.notDelivered(id, because: "x", retryAt: Sample.moment)
        }
        #expect(try await due().isEmpty)
        #expect(try await store.deadMessages(topic: "webhook").count == 1)
    }

    @Test func `those given up make room, and go by themselves after a month`() async throws {
        try await send("1", "2", "3")
        for message in try await due().prefix(2) {
            try await store.notDelivered(message.id, because: "gone", retryAt: nil)
        }
        try await send("4")
        #expect(try await due().map(\.payload) == ["3", "4"])
        #expect(try await store.deadMessages(topic: "webhook").map(\.payload) == ["2"])
        let report = try await store.upkeep(now: Sample.after(31 * 24 * 3600))
        #expect(report.deadMessages == 1)
        #expect(try await due().count == 2)
    }

    @Test func `a full outbox refuses the change itself`() async throws {
        try await send("1", "2", "3")
        var transaction = Sample.put(Sample.iris)
        transaction.outbox = [OutboxDraft(topic: "webhook", payload: "4")]
        let refusal = try await store.refusal(transaction)
        #expect(refusal == .noRoom(what: "undelivered messages", limit: 3))
        #expect(try await store.document(Sample.iris) == nil)
    }
}
