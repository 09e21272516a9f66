// One process takes the state over from another: who writes when, what the other sees, and that
// nothing is lost when nobody takes over after all. Both stores are in this process, each with
// descriptors of its own.

import Fixtures
import Foundation
import State
import Testing

@Suite struct HandoverTests {
    let scratch = ScratchFolder()

    private func heir(of store: Store) throws -> Store {
        let lock = try StateLock(passed: dup(store.lockDescriptor), directory: scratch.url)
        return try Store(directory: scratch.url, passed: lock)
    }

    private static func put(_ store: Store, _ name: String) async throws {
        try await store.commit(Sample.put(DocumentKey(.deployment, name)))
    }

    @Test func `whoever is succeeded reads on and writes no more`() async throws {
        let old = try Store(directory: scratch.url)
        try await Self.put(old, "iris")
        await old.suspend()
        #expect(old.isSuspended)
        await #expect(throws: StateError.handingOver) { try await Self.put(old, "rose") }
        #expect(try await old.document(Sample.iris) != nil)
    }

    @Test func `when nobody takes over, changes are taken again`() async throws {
        let old = try Store(directory: scratch.url)
        await old.suspend()
        old.resume()
        try await Self.put(old, "iris")
        #expect(!old.isSuspended && old.readOnlyReason == nil)
    }

    @Test func `the heir reads before it may write, and writes from then on`() async throws {
        let old = try Store(directory: scratch.url)
        try await Self.put(old, "iris")
        await old.suspend()
        let new = try heir(of: old)
        #expect(try await new.document(Sample.iris) != nil)
        await #expect(throws: StateError.handingOver) { try await Self.put(new, "rose") }
        try new.takeOver()
        try await Self.put(new, "rose")
        await #expect(throws: StateError.handingOver) { try await Self.put(old, "lily") }
        old.passOnLock()
        try old.close()
        #expect(throws: StateError.self) { try Store(directory: scratch.url) }
        try await Self.put(new, "lily")
        #expect(try await new.all(DocumentQuery(.deployment)).count == 3)
    }

    @Test func `an heir that ends before it writes leaves all as it was`() async throws {
        let old = try Store(directory: scratch.url)
        await old.suspend()
        do {
            // As when its process is killed: no unlock, just a descriptor less.
            let new = try heir(of: old)
            new.passOnLock()
            try new.close()
        }
        old.resume()
        try await Self.put(old, "iris")
        #expect(throws: StateError.self) { try Store(directory: scratch.url) }
    }

    @Test func `commits under way are over when suspending returns`() async throws {
        let old = try Store(directory: scratch.url)
        let commits = (0..<50).map { number in
            Task { try await HandoverTests.put(old, "iris-\(number)") }
        }
        await old.suspend()
        let before = try await old.all(DocumentQuery(.deployment)).count
        for commit in commits { _ = await commit.result }
        #expect(try await old.all(DocumentQuery(.deployment)).count == before)
    }
}
