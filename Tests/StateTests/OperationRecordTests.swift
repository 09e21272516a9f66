// Operations: one at a time for a target, whatever is asked at the same moment.
// Targets need not exist: an operation tells of its target by name alone.

import Fixtures
import Foundation
import State
import Testing

@Suite struct OperationTests {
    let scratch = ScratchFolder()
    let store: Store

    init() throws {
        store = try Store(directory: scratch.url)
    }

    private func operation(_ id: String, _ target: DocumentKey = Sample.iris) -> OperationRecord {
        OperationRecord(
            id: id, kind: "deployment.scale", target: target, at: Sample.moment, by: "alice",
            request: #"{"replicas":3}"#)
    }

    private func start(_ operation: OperationRecord, claims: Bool = true) async throws {
        var operation = operation
        var transaction = Sample.transaction()
        try transaction.start(&operation, claims: claims)
        try await store.commit(transaction)
    }

    private func save(
        _ id: String, at date: Date = Sample.moment, _ change: (inout OperationRecord) -> Void
    ) async throws {
        var operation = try #require(try await store.operation(id))
        var transaction = Sample.transaction(at: date)
        change(&operation)
        try transaction.save(&operation)
        try await store.commit(transaction)
    }

    @Test func `an operation is read back as it was started`() async throws {
        try await start(operation("1"))
        let found = try #require(try await store.operation("1"))
        #expect(found.kind == "deployment.scale")
        #expect(found.target == Sample.iris)
        #expect(found.state == .pending)
        #expect(found.request == #"{"replicas":3}"#)
        #expect(found.createdBy == "alice")
        #expect(found.isActive)
        #expect(try await store.activeOperation(of: Sample.iris)?.id == "1")
    }

    @Test func `a second one on the target is refused, naming the first`() async throws {
        try await start(operation("1"))
        await #expect(
            throws: StateError.operationActive(target: Sample.iris, operation: "1")
        ) { try await start(operation("2")) }
        #expect(try await store.operation("2") == nil)
        try await start(operation("3", DocumentKey(.deployment, "other")))
    }

    @Test func `of many at the same moment one wins`() async throws {
        let store = store
        let wins = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<16 {
                group.addTask {
                    var operation = OperationRecord(
                        id: "\(index)", kind: "x", target: Sample.iris, at: Sample.moment,
                        by: "racer")
                    var transaction = Sample.transaction()
                    do {
                        try transaction.start(&operation)
                        try await store.commit(transaction)
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wins == 1)
    }

    @Test func `progress is saved, and the end frees the target`() async throws {
        try await start(operation("1"))
        try await save("1", at: Sample.after(1)) {
            $0.state = .running
            $0.progress = OperationRecord.Progress(done: 1, total: 3, message: "replica 1 is ready")
        }
        #expect(try await store.operation("1")?.progress.done == 1)
        try await save("1", at: Sample.after(2)) {
            $0.state = .failed
            $0.error = OperationRecord.Failure(code: "TIMED_OUT", message: "not ready in time")
        }
        let found = try #require(try await store.operation("1"))
        #expect(found.state == .failed)
        #expect(found.error?.code == "TIMED_OUT")
        #expect(found.finishedAt == Sample.after(2))
        #expect(!found.isActive)
        #expect(try await store.activeOperation(of: Sample.iris) == nil)
        try await start(operation("2"))
    }

    @Test func `a queued one waits, and is claimed when the target is free`() async throws {
        try await start(operation("1"))
        try await start(operation("2"), claims: false)
        #expect(try await store.activeOperation(of: Sample.iris)?.id == "1")
        var queued = try #require(try await store.operation("2"))
        var early = Sample.transaction()
        try early.claim(&queued)
        let refusal = try await store.refusal(early)
        #expect(refusal == .operationActive(target: Sample.iris, operation: "1"))
        try await save("1") { $0.state = .succeeded }
        queued = try #require(try await store.operation("2"))
        var claim = Sample.transaction()
        try claim.claim(&queued)
        try await store.commit(claim)
        #expect(try await store.activeOperation(of: Sample.iris)?.id == "2")
        #expect(try await store.operation("2")?.state == .running)
    }

    @Test func `cancelling a queued one leaves the one at work alone`() async throws {
        try await start(operation("1"))
        try await start(operation("2"), claims: false)
        try await save("2") { $0.state = .cancelled }
        #expect(try await store.activeOperation(of: Sample.iris)?.id == "1")
    }

    @Test func `two writers of one operation do not overwrite each other`() async throws {
        try await start(operation("1"))
        var mine = try #require(try await store.operation("1"))
        try await save("1") { $0.progress.done = 1 }
        mine.state = .succeeded
        var transaction = Sample.transaction()
        try transaction.save(&mine)
        let version = try #require(try await store.operation("1")?.version)
        let refusal = try await store.refusal(transaction)
        #expect(refusal == .stale(mine.key, expected: mine.version, found: version))
    }

    @Test func `finished operations are let go by age and number, active ones never`() async throws
    {
        var options = StoreOptions()
        options.retention.finishedOperations = 2
        let other = ScratchFolder()
        let small = try Store(directory: other.url, options: options)
        for index in 0..<5 {
            var operation = OperationRecord(
                id: "\(index)", kind: "x", target: DocumentKey(.deployment, "d\(index)"),
                at: Sample.after(Double(index)), by: "a")
            var transaction = Sample.transaction(at: Sample.after(Double(index)))
            try transaction.start(&operation)
            let commit = try await small.commit(transaction)
            if index == 0 { continue }
            operation.version = try #require(commit.documents.last?.version)
            operation.state = .succeeded
            var end = Sample.transaction(at: Sample.after(Double(index)))
            try end.save(&operation)
            try await small.commit(end)
        }
        #expect(try await small.upkeep(now: Sample.after(10)).operations == 2)
        let left = try await small.all(DocumentQuery(.operation)).map(\.name)
        #expect(left == ["0", "3", "4"])
        #expect(try await small.upkeep(now: Sample.after(31 * 24 * 3600)).operations == 2)
        #expect(try await small.all(DocumentQuery(.operation)).map(\.name) == ["0"])
    }
}
