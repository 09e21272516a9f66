// A crash is a database file and a log as they were at some moment, the log perhaps cut in the
// middle of a write. Whatever the moment, what is opened then is a prefix of the commits: all that
// were acknowledged before it, none of them half.

import Fixtures
import Foundation
import State
import Testing

@Suite struct CrashTests {
    let scratch = ScratchFolder()

    /// A commit whose parts must be there together: two documents, an event, an audit entry.
    private func commit(_ index: Int, to store: Store) async throws {
        var transaction = Sample.transaction(at: Sample.after(Double(index)))
        for side in ["left", "right"] {
            transaction.edits.append(
                .put(DocumentDraft(DocumentKey(.replica, side), .any, spec: "\(index)")))
        }
        transaction.audit = [AuditDraft("step", Sample.iris, detail: ["index": "\(index)"])]
        transaction.note(Sample.iris, reason: "Stepped", "\(index)")
        try await store.commit(transaction)
    }

    /// What a crash now would leave in another directory.
    private func wreck(_ name: String, logBytes: Int? = nil) throws -> ScratchFolder {
        let wreck = ScratchFolder()
        try FileManager.default.createDirectory(
            at: wreck.url, withIntermediateDirectories: true)
        for file in ["penstock.db", "penstock.db-wal"] {
            var data = try Data(contentsOf: scratch.file(file))
            if file.hasSuffix("-wal"), let logBytes { data = data.prefix(logBytes) }
            try data.write(to: wreck.file(file))
        }
        return wreck
    }

    /// How many commits there are, after checking that each is whole.
    private func commits(in directory: URL, _ context: String) async throws -> Int {
        let store = try Store(directory: directory)
        let left = try await store.document(DocumentKey(.replica, "left"))
        let right = try await store.document(DocumentKey(.replica, "right"))
        #expect(left?.spec == right?.spec, "\(context)")
        let count = try left?.spec(as: Int.self) ?? 0
        let verdict = try await store.verifyAudit()
        #expect(verdict.isIntact, "\(context)")
        #expect(verdict.entriesChecked == count, "\(context)")
        #expect(try await store.sequence() == 2 * count, "\(context)")
        let events = try await store.events(EventQuery(of: Sample.iris)).events
        #expect(events.first.map(\.message) ?? "0" == "\(count)", "\(context)")
        var watch = try await store.watch([], since: 0)
        let changes = try await watch.next(within: .zero)
        #expect(changes.count == 2 * count, "\(context)")
        return count
    }

    @Test func `after each commit a crash keeps exactly the commits acknowledged`() async throws {
        let store = try Store(directory: scratch.url)
        for index in 1...12 {
            try await commit(index, to: store)
            let wreck = try wreck("\(index)")
            #expect(try await commits(in: wreck.url, "commit \(index)") == index)
        }
    }

    @Test(arguments: 1...3)
    func `a log cut anywhere is a prefix of the commits`(seed: UInt64) async throws {
        let store = try Store(directory: scratch.url)
        var lengths: [Int] = []
        for index in 1...10 {
            try await commit(index, to: store)
            lengths.append(try Data(contentsOf: scratch.file("penstock.db-wal")).count)
        }
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let bytes = Int.random(in: 0...lengths[9], using: &generator)
            let wreck = try wreck("\(bytes)", logBytes: bytes)
            let count = try await commits(in: wreck.url, "seed \(seed), \(bytes) bytes")
            // Every commit whose bytes are all there has survived.
            #expect(count >= lengths.count { $0 <= bytes }, "seed \(seed), \(bytes) bytes")
        }
    }

    @Test func `a crash after the log was written back keeps everything`() async throws {
        do {
            let store = try Store(directory: scratch.url)
            for index in 1...5 { try await commit(index, to: store) }
        }
        let wreck = try wreck("closed")
        #expect(try await commits(in: wreck.url, "closed") == 5)
    }
}
