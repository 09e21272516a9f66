// Watching: nothing missed, nothing twice, and an honest word when the past is gone.
// Retention is made small, so that the past is gone after a few changes.

import Fixtures
import Foundation
import State
import Testing

@Suite struct WatchTests {
    let scratch = ScratchFolder()

    private func store(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> Store {
        var options = StoreOptions()
        change(&options)
        return try Store(directory: scratch.url, options: options)
    }

    private func key(_ name: String) -> DocumentKey { DocumentKey(.replica, name) }

    @Test func `a watch tells what was changed since, in order`() async throws {
        let store = try store()
        try await store.commit(Sample.put(key("a"), spec: "1"))
        try await store.commit(Sample.put(key("a"), spec: "2"))
        try await store.commit(Sample.delete(key("a")))
        var watch = try await store.watch([], since: 0)
        let changes = try await watch.next(within: .seconds(5))
        #expect(changes.map(\.change) == [.added, .modified, .deleted])
        #expect(changes.map(\.sequence) == [1, 2, 3])
        #expect(changes.map(\.document.spec) == ["1", "2", "2"])
        #expect(changes.last?.document.deletedAt != nil)
        #expect(watch.position == 3)
    }

    @Test func `a watch waits for what is to come`() async throws {
        let store = try store()
        let waiting = Task {
            var watch = try await store.watch([.replica], since: 0)
            return try await watch.next()
        }
        try await store.commit(Sample.put(Sample.iris))
        try await store.commit(Sample.put(key("a")))
        let change = try #require(try await waiting.value)
        #expect(change.key == key("a"))
        #expect(change.sequence == 2)
    }

    @Test func `nothing in time is an empty answer`() async throws {
        let store = try store()
        try await store.commit(Sample.put(Sample.iris))
        var watch = try await store.watch([.replica], since: 0)
        #expect(try await watch.next(within: .milliseconds(1)).isEmpty)
        #expect(watch.position == 1)
    }

    @Test func `a watch can be resumed in the middle of a commit`() async throws {
        let store = try store()
        var transaction = Sample.transaction()
        for name in ["a", "b", "c"] {
            transaction.edits.append(.put(DocumentDraft(key(name), .absent, spec: "{}")))
        }
        try await store.commit(transaction)
        var watch = try await store.watch([], since: 0)
        #expect(try await watch.next()?.key == key("a"))
        var resumed = try await store.watch([], since: watch.position)
        let rest = try await resumed.next(within: .seconds(5))
        #expect(rest.map(\.key) == [key("b"), key("c")])
    }

    @Test func `a past that was let go is refused, with the oldest that is known`() async throws {
        let store = try store {
            $0.retention.changes = 10
            $0.retention.changesBetweenCuts = 1
        }
        for index in 0..<30 { try await store.commit(Sample.put(key("a"), spec: "\(index)")) }
        await #expect(throws: StateError.compacted(since: 19, oldest: 20)) {
            try await store.watch([], since: 19)
        }
        var watch = try await store.watch([], since: 20)
        #expect(try await watch.next(within: .seconds(5)).map(\.sequence) == Array(21...30))
    }

    @Test func `a consumer that falls behind is dropped with an error`() async throws {
        let store = try store {
            $0.retention.changes = 10
            $0.retention.changesBetweenCuts = 1
        }
        try await store.commit(Sample.put(key("a"), spec: "0"))
        var watch = try await store.watch([], since: 0)
        #expect(try await watch.next() != nil)
        for index in 1...20 { try await store.commit(Sample.put(key("a"), spec: "\(index)")) }
        await #expect(throws: StateError.compacted(since: 1, oldest: 11)) {
            _ = try await watch.next()
        }
    }

    @Test func `size and age cut the log as well`() async throws {
        let store = try store {
            $0.retention.changeBytes = 3000
            $0.retention.changesBetweenCuts = 1
        }
        let text = "\"" + String(repeating: "x", count: 800) + "\""
        for index in 0..<6 { try await store.commit(Sample.put(key("\(index)"), spec: text)) }
        await #expect(throws: StateError.compacted(since: 2, oldest: 4)) {
            try await store.watch([], since: 2)
        }
        _ = try await store.upkeep(now: Sample.after(25 * 3600))
        await #expect(throws: StateError.compacted(since: 5, oldest: 6)) {
            try await store.watch([], since: 5)
        }
        _ = try await store.watch([], since: 6)
    }

    @Test func `a number that was never issued is refused`() async throws {
        let store = try store()
        await #expect(throws: StateError.compacted(since: 5, oldest: 0)) {
            try await store.watch([], since: 5)
        }
    }

    @Test func `a cancelled watch ends`() async throws {
        let store = try store()
        let waiting = Task {
            var watch = try await store.watch([], since: 0)
            return try await watch.next()
        }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func `closing the store ends its watches`() async throws {
        let store = try store()
        var watch = try await store.watch([], since: 0)
        #expect(try await watch.next(within: .zero).isEmpty)
        let waiting = Task { [watch] in
            var watch = watch
            return try await watch.next()
        }
        try store.close()
        await #expect(throws: StateError.closed) { try await waiting.value }
    }

    @Test(arguments: 1...4)
    func `no change is missed or doubled under load`(seed: UInt64) async throws {
        let store = try store {
            $0.retention.changesBetweenCuts = 7
            $0.retention.changes = 5000
        }
        let commits = 60
        let watching = (0..<4).map { watcher in
            Task {
                var seen: [UInt64] = []
                var generator = SeededGenerator(seed: seed &* 31 &+ UInt64(watcher))
                var position: UInt64 = 0
                var watch = try await store.watch([], since: 0)
                while true {
                    let changes =
                        Bool.random(using: &generator)
                        ? try await watch.next(within: .seconds(30))
                        : [try await watch.next()].compactMap { $0 }
                    seen += changes.map(\.sequence)
                    if changes.contains(where: { $0.key.name == "end" }) { return seen }
                    position = watch.position
                    // Now and then the connection breaks and is resumed.
                    if Int.random(in: 0..<8, using: &generator) == 0 {
                        watch = try await store.watch([], since: position)
                    }
                }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<3 {
                group.addTask {
                    var generator = SeededGenerator(seed: seed &* 17 &+ UInt64(writer))
                    for step in 0..<commits {
                        var transaction = Sample.transaction()
                        for _ in 0..<Int.random(in: 1...4, using: &generator) {
                            let name = "r\(Int.random(in: 0..<20, using: &generator))"
                            let spec = "\"\(writer) \(step)\""
                            transaction.edits.append(
                                .put(DocumentDraft(DocumentKey(.replica, name), .any, spec: spec)))
                        }
                        try await store.commit(transaction)
                    }
                }
            }
            try await group.waitForAll()
        }
        let last = try await store.commit(Sample.put(key("end"))).sequence
        for task in watching {
            #expect(try await task.value == Array(1...last), "seed \(seed)")
        }
    }
}
