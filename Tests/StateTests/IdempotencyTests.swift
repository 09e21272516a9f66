// Idempotency: the work is done once, whatever is sent twice and whenever the process dies.
// A store that is dropped without an end and opened again is a process that was killed.

import Fixtures
import Foundation
import State
import Testing

@Suite struct IdempotencyTests {
    let scratch = ScratchFolder()
    let key = IdempotencyKey(key: "k1", token: "alice")

    private func begin(
        _ store: Store, _ key: IdempotencyKey? = nil, hash: String = "h", at: Date = Sample.moment
    ) async throws -> IdempotencyState {
        try await store.beginIdempotent(key ?? self.key, requestHash: hash, now: at)
    }

    private var answer: IdempotentAnswer {
        IdempotentAnswer(
            key: key, status: 202, headers: ["location": "/v1/operations/1"],
            body: Array("{}".utf8))
    }

    /// Work with its answer, in one transaction.
    private var work: Transaction {
        var work = Sample.put(Sample.iris, .absent)
        work.answer = answer
        return work
    }

    @Test func `the same request again gets the first answer`() async throws {
        let store = try Store(directory: scratch.url)
        #expect(try await begin(store) == .begun)
        #expect(try await begin(store) == .running)
        try await store.commit(work)
        #expect(try await begin(store) == .done(answer))
    }

    @Test func `another request with the key is told so`() async throws {
        let store = try Store(directory: scratch.url)
        _ = try await begin(store)
        #expect(try await begin(store, hash: "other") == .mismatch)
        try await store.commit(work)
        #expect(try await begin(store, hash: "other") == .mismatch)
    }

    @Test func `keys of two tokens do not meet`() async throws {
        let store = try Store(directory: scratch.url)
        _ = try await begin(store)
        let other = IdempotencyKey(key: "k1", token: "bob")
        #expect(try await begin(store, other, hash: "other") == .begun)
    }

    @Test func `an answer is stored with its work or not at all`() async throws {
        let store = try Store(directory: scratch.url)
        try await store.commit(Sample.put(Sample.iris))
        _ = try await begin(store)
        await #expect(throws: StateError.exists(Sample.iris, version: 1)) {
            try await store.commit(work)
        }
        #expect(try await begin(store) == .running)
        try await store.abandonIdempotent(key)
        #expect(try await begin(store) == .begun)
    }

    @Test func `what a crash left running was not done, and the key is free`() async throws {
        do {
            let store = try Store(directory: scratch.url)
            _ = try await begin(store)
        }
        let next = try Store(directory: scratch.url)
        #expect(try await begin(next) == .begun)
    }

    @Test func `a crash after the work keeps the answer`() async throws {
        do {
            let store = try Store(directory: scratch.url)
            _ = try await begin(store)
            try await store.commit(work)
        }
        let next = try Store(directory: scratch.url)
        #expect(try await begin(next) == .done(answer))
    }

    @Test func `work whose record is gone is not done twice`() async throws {
        let store = try Store(directory: scratch.url)
        _ = try await begin(store)
        try await store.finishIdempotent(answer, now: Sample.moment)
        await #expect(throws: StateError.idempotencyLost(key: "k1")) {
            try await store.commit(work)
        }
        #expect(try await store.document(Sample.iris) == nil)
    }

    @Test func `a record expires`() async throws {
        let store = try Store(directory: scratch.url)
        _ = try await begin(store)
        try await store.commit(work)
        #expect(try await begin(store, at: Sample.after(24 * 3600 + 1)) == .begun)
        let report = try await store.upkeep(now: Sample.after(10 * 24 * 3600))
        #expect(report.idempotencyRecords == 1)
    }

    /// A store that keeps so many keys.
    private func store(keeping count: Int) throws -> Store {
        var options = StoreOptions()
        options.retention.idempotencyRecords = count
        return try Store(directory: scratch.url, options: options)
    }

    /// A request begun and answered.
    private func work(_ name: String, of token: String, _ store: Store, at: Date) async throws {
        let key = IdempotencyKey(key: name, token: token)
        #expect(try await begin(store, key, at: at) == .begun)
        try await store.finishIdempotent(IdempotentAnswer(key: key, status: 200), now: at)
    }

    @Test func `the oldest answer makes room for a new key`() async throws {
        let store = try store(keeping: 3)
        for index in 0..<10 {
            try await work("k\(index)", of: "t", store, at: Sample.after(Double(index)))
        }
        let newest = IdempotencyKey(key: "k9", token: "t")
        #expect(
            try await begin(store, newest, at: Sample.after(10))
                == .done(IdempotentAnswer(key: newest, status: 200)))
        let oldest = IdempotencyKey(key: "k0", token: "t")
        #expect(try await begin(store, oldest, at: Sample.after(10)) == .begun)
    }

    @Test func `a busy token pays with its own answers`() async throws {
        let store = try store(keeping: 5)
        try await work("mine", of: "quiet", store, at: Sample.moment)
        for index in 0..<20 {
            try await work("k\(index)", of: "busy", store, at: Sample.after(Double(index + 1)))
        }
        let mine = IdempotencyKey(key: "mine", token: "quiet")
        #expect(
            try await begin(store, mine, at: Sample.after(30))
                == .done(IdempotentAnswer(key: mine, status: 200)))
    }

    @Test func `what is at work is never let go`() async throws {
        let store = try store(keeping: 2)
        _ = try await begin(store, IdempotencyKey(key: "a", token: "t"))
        _ = try await begin(store, IdempotencyKey(key: "b", token: "t"))
        await #expect(throws: StateError.noRoom(what: "idempotency keys", limit: 2)) {
            try await begin(store, IdempotencyKey(key: "c", token: "t"))
        }
        let later = Sample.after(2 * 24 * 3600)
        #expect(try await begin(store, IdempotencyKey(key: "c", token: "t"), at: later) == .begun)
    }
}
