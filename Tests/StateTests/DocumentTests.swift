// Documents: conditions, versions, generations, tombstones. Each test has a store of its own.
// The store is a real one; closing and opening again is the next process.

import Fixtures
import Foundation
import State
import Testing

@Suite struct DocumentTests {
    let scratch = ScratchFolder()
    let store: Store
    let iris = Sample.iris

    init() throws {
        store = try Store(directory: scratch.url)
    }

    @Test func `what is put is read back whole`() async throws {
        let commit = try await store.commit(
            Sample.put(
                iris, .absent, spec: #"{"a":1}"#, status: #"{"b":2}"#,
                labels: ["team": "vision", "tier": "a=b"]))
        let found = try #require(try await store.document(iris))
        #expect(commit.documents == [found])
        #expect(commit.sequence == 1)
        #expect(found.version == 1)
        #expect(found.generation == 1)
        #expect(found.spec == #"{"a":1}"#)
        #expect(found.status == #"{"b":2}"#)
        #expect(found.labels == ["team": "vision", "tier": "a=b"])
        #expect(found.createdAt == Sample.moment)
        #expect(found.createdBy == "alice")
        #expect(DocumentID.isWellFormed(found.id))
    }

    @Test func `a create of what exists is refused`() async throws {
        try await store.commit(Sample.put(iris, .absent))
        await #expect(throws: StateError.exists(iris, version: 1)) {
            try await store.commit(Sample.put(iris, .absent))
        }
    }

    @Test func `an exact version that has passed is refused, with both versions`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "1"))
        try await store.commit(Sample.put(iris, .version(1), spec: "2"))
        await #expect(throws: StateError.stale(iris, expected: 1, found: 2)) {
            try await store.commit(Sample.put(iris, .version(1), spec: "3"))
        }
        #expect(try await store.document(iris)?.spec == "2")
    }

    @Test(arguments: [Condition.present, .version(1)])
    func `a change of what is not there is refused`(condition: Condition) async throws {
        await #expect(throws: StateError.missing(iris)) {
            try await store.commit(Sample.put(iris, condition))
        }
    }

    @Test func `only the spec moves the generation, everything moves the version`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "1"))
        try await store.commit(Sample.put(iris, spec: nil, status: "2"))
        try await store.commit(Sample.put(iris, spec: nil, labels: ["a": "b"]))
        var found = try #require(try await store.document(iris))
        #expect(found.generation == 1)
        #expect(found.version == 3)
        try await store.commit(Sample.put(iris, spec: "2", at: Sample.after(5)))
        found = try #require(try await store.document(iris))
        #expect(found.generation == 2)
        #expect(found.status == "2")
        #expect(found.labels == ["a": "b"])
        #expect(found.createdAt == Sample.moment)
        #expect(found.updatedAt == Sample.after(5))
    }

    @Test func `a put that changes nothing changes nothing`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "1", labels: ["a": "b"]))
        let commit = try await store.commit(
            Sample.put(iris, spec: "1", labels: ["a": "b"], at: Sample.after(9)))
        #expect(commit.sequence == 1)
        #expect(commit.documents.first?.version == 1)
        #expect(commit.documents.first?.updatedAt == Sample.moment)
    }

    @Test func `a delete leaves a tombstone, and the name is free`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "1"))
        try await store.commit(Sample.delete(iris))
        #expect(try await store.document(iris) == nil)
        let tombstone = try #require(try await store.tombstone(iris))
        #expect(tombstone.deletedAt == Sample.moment)
        #expect(tombstone.spec == "1")
        let again = try await store.commit(Sample.put(iris, .absent, spec: "2"))
        #expect(again.documents.first?.id != tombstone.id)
        #expect(again.documents.first?.generation == 1)
        #expect(try await store.tombstone(iris)?.id == tombstone.id)
    }

    @Test func `a purge leaves nothing`() async throws {
        try await store.commit(Sample.put(iris, .absent))
        try await store.commit(Sample.delete(iris))
        try await store.commit(Sample.put(iris, .absent))
        var transaction = Sample.transaction()
        transaction.edits = [.purge(iris, .present)]
        try await store.commit(transaction)
        #expect(try await store.document(iris) == nil)
        #expect(try await store.tombstone(iris) == nil)
    }

    @Test func `one failing condition undoes the whole transaction`() async throws {
        var transaction = Sample.put(DocumentKey(.replica, "iris/r1"), .absent)
        transaction.events = [EventDraft(iris, .normal, reason: "Made", message: "made")]
        transaction.audit = [AuditDraft("make", iris)]
        transaction.outbox = [OutboxDraft(topic: "webhook", payload: "{}")]
        transaction.edits.append(.put(DocumentDraft(iris, .present, spec: "{}")))
        await #expect(throws: StateError.missing(iris)) {
            try await store.commit(transaction)
        }
        #expect(try await store.sequence() == 0)
        #expect(try await store.document(DocumentKey(.replica, "iris/r1")) == nil)
        #expect(try await store.events(EventQuery(of: iris)).events.isEmpty)
        #expect(try await store.audit(AuditQuery()).entries.isEmpty)
        let due = try await store.dueMessages(topic: "webhook", now: Sample.after(60))
        #expect(due.isEmpty)
    }

    @Test func `a check without an edit guards a transaction`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "1"))
        var transaction = Sample.put(DocumentKey(.replica, "iris/r1"), .absent)
        transaction.checks = [.document(iris, .version(9))]
        await #expect(throws: StateError.stale(iris, expected: 9, found: 1)) {
            try await store.commit(transaction)
        }
    }

    @Test func `later edits see the earlier ones of their transaction`() async throws {
        var transaction = Sample.put(iris, .absent, spec: "1")
        transaction.edits.append(.put(DocumentDraft(iris, .version(1), spec: "2")))
        transaction.edits.append(.delete(iris, .version(2)))
        let commit = try await store.commit(transaction)
        #expect(commit.sequence == 3)
        #expect(commit.documents.map(\.version) == [1, 2])
        #expect(try await store.document(iris) == nil)
    }

    @Test func `update tries again when somebody was faster`() async throws {
        try await store.commit(Sample.put(iris, .absent, spec: "0"))
        let store = store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await store.update(
                        Sample.iris, at: Sample.moment, actor: "racer", attempts: 100
                    ) { found, transaction in
                        let count = try found.spec(as: Int.self)
                        try transaction.put(
                            found.key, .version(found.version), spec: count + 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.document(iris)?.spec == "8")
    }

    @Test(arguments: [
        (DocumentKey("deployment", ""), "must not be empty"),
        (DocumentKey("deployment", "a\nb"), "control character"),
        (DocumentKey("dep/loyment", "a"), "has a '/'"),
        (DocumentKey("deployment", String(repeating: "x", count: 513)), "at most 512"),
    ])
    func `a name that cannot be listed or printed is refused`(
        key: DocumentKey, words: String
    ) async throws {
        await #expect {
            try await store.commit(Sample.put(key))
        } throws: {
            "\($0)".contains(words)
        }
    }

    @Test(arguments: ["", "{", "nonsense", #"{"a":1} x"#])
    func `a spec that is not JSON is refused`(text: String) async throws {
        await #expect(
            throws: StateError.invalid(what: "deployment/iris spec", reason: "is not JSON")
        ) { try await store.commit(Sample.put(iris, spec: text)) }
    }

    @Test func `sizes and numbers have limits`() async throws {
        let long = "\"" + String(repeating: "x", count: 256 * 1024) + "\""
        await #expect {
            try await store.commit(Sample.put(iris, spec: long))
        } throws: {
            if case StateError.tooLarge = $0 { true } else { false }
        }
        let many = Dictionary(uniqueKeysWithValues: (0..<65).map { ("l\($0)", "x") })
        await #expect(throws: StateError.tooMany(what: "labels", limit: 64)) {
            try await store.commit(Sample.put(iris, labels: many))
        }
        #expect(try await store.sequence() == 0)
    }

    @Test func `a kind has so many documents and no more`() async throws {
        var options = StoreOptions()
        options.retention.documentsPerKind = 2
        let small = ScratchFolder()
        let store = try Store(directory: small.url, options: options)
        try await store.commit(Sample.put(DocumentKey(.replica, "1")))
        try await store.commit(Sample.put(DocumentKey(.replica, "2")))
        await #expect(throws: StateError.noRoom(what: "documents of kind replica", limit: 2)) {
            try await store.commit(Sample.put(DocumentKey(.replica, "3")))
        }
        try await store.commit(Sample.delete(DocumentKey(.replica, "1")))
        try await store.commit(Sample.put(DocumentKey(.replica, "3")))
        try await store.commit(Sample.put(iris))
    }
}
