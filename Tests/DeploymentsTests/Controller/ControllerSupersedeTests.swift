// Changes over changes: whatever takes another's place or waits for it, what last worked stays the
// one to go back to, and nobody is left on a revision that has never proved itself.

import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerSupersedeTests {
    /// One replica of revision 1 serves; `iris-1` and `iris-2` never answer, and what has BAD in
    /// its environment ends at once.
    private func stable() async throws -> ControllerBench {
        let bench = try await ControllerBench(script: { spec, _ in
            spec.environment["BAD"] == nil ? .runs : .ends(.code(3))
        })
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.mute.withLock { $0 = ["iris-1", "iris-2"] }
        return bench
    }

    /// It asks for more time than any test has.
    private static let slow = DeploymentChange.patch(
        .object([
            "env": .object(["SLOW": "1"]),
            "strategy": .object(["progress_deadline_seconds": 600]),
        ]))
    private static let slower = DeploymentChange.patch(.object(["env": .object(["SLOW": "2"])]))
    /// It never proves itself, and has as long for it.
    private static let hopeless = DeploymentChange.patch(
        .object([
            "env": .object(["BAD": "1"]),
            "strategy": .object(["progress_deadline_seconds": 600]),
        ]))
    private static let bad = DeploymentChange.patch(
        .object([
            "env": .object(["BAD": "1"]), "strategy": .object(["progress_deadline_seconds": 1]),
        ]))

    private func supersede(
        _ change: DeploymentChange, _ bench: ControllerBench
    ) async throws -> DeploymentOperation {
        let receipt = try await bench.perform(change) { $0.onConflict = .supersede }
        return try #require(receipt.operation)
    }

    private func isBack(_ bench: ControllerBench) async throws {
        let view = try await bench.controller.view("iris")
        #expect(view.revision == 1)
        #expect(view.spec.variables.isEmpty)
        try await bench.until("only the stable one is left") {
            try await bench.replicas().map(\.name) == ["iris-0"]
        }
        #expect(bench.served == ["unix:/scripted/iris-0.sock"])
    }

    @Test func `what fails after superseding goes back to what last worked`() async throws {
        let bench = try await stable()
        try await bench.perform(Self.slow)
        let begun = try await supersede(Self.bad, bench)
        #expect(begun.fromRevision == 1)
        #expect(begun.toRevision == 3)
        let operation = try await bench.controller.operation(begun.id, within: .seconds(60))
        #expect(operation.phase == .failed)
        #expect(operation.hasRolledBack)
        try await isBack(bench)
    }

    @Test func `superseding several times forgets nothing`() async throws {
        let bench = try await stable()
        // Nor does the one that a number adds: that change might be over before the next one.
        bench.mute.withLock { $0.formUnion((3...6).map { "iris-\($0)" }) }
        try await bench.perform(Self.slow)
        _ = try await supersede(Self.slower, bench)
        _ = try await supersede(.scale(replicas: 2, until: nil), bench)
        let begun = try await supersede(Self.hopeless, bench)
        #expect(begun.fromRevision == 1)
        let cancelled = try await bench.controller.cancel(begun.id, asked: bench.asked())
        #expect(cancelled.hasRolledBack)
        #expect(try await bench.controller.view("iris").target == 1)
        try await isBack(bench)
    }

    @Test func `a number that supersedes an edit does not keep the edit for good`() async throws {
        let bench = try await stable()
        try await bench.perform(Self.bad)
        let begun = try await supersede(.scale(replicas: 2, until: nil), bench)
        bench.mute.withLock { $0 = [] }
        let operation = try await bench.controller.operation(begun.id, within: .seconds(60))
        #expect(operation.phase == .failed)
        #expect(operation.hasRolledBack)
        let view = try await bench.controller.view("iris")
        #expect(view.revision == 1)
        #expect(view.target == 2)
    }

    @Test func `a superseding change outlives a crash with what it goes back to`() async throws {
        let bench = try await stable()
        try await bench.perform(Self.slow)
        let begun = try await supersede(Self.slower, bench)
        try await bench.crash()
        let cancelled = try await bench.controller.cancel(begun.id, asked: bench.asked())
        #expect(cancelled.hasRolledBack)
        try await isBack(bench)
    }

    @Test func `a queued change that fails goes back as any other`() async throws {
        let bench = try await stable()
        let running = try await bench.perform(Self.slower)
        let receipt = try await bench.perform(Self.bad) { $0.onConflict = .queue }
        let queued = try #require(receipt.operation)
        #expect(queued.toRevision == nil)
        // Its turn comes when the other has ended: taken back, so that revision 1 is stable.
        _ = try await bench.controller.cancel(
            try #require(running.operation?.id), asked: bench.asked())
        let operation = try await bench.controller.operation(queued.id, within: .seconds(60))
        #expect(operation.phase == .failed)
        #expect(operation.fromRevision == 1)
        #expect(operation.toRevision == 3)
        #expect(operation.hasRolledBack)
        try await isBack(bench)
    }

    @Test func `a queued change can be cancelled once it is at work`() async throws {
        let bench = try await stable()
        let running = try await bench.perform(Self.slower)
        let receipt = try await bench.perform(Self.slow) { $0.onConflict = .queue }
        let queued = try #require(receipt.operation)
        _ = try await bench.controller.cancel(
            try #require(running.operation?.id), asked: bench.asked())
        try await bench.until("it is at work") {
            try await bench.controller.view("iris").operation?.id == queued.id
        }
        let cancelled = try await bench.controller.cancel(queued.id, asked: bench.asked())
        #expect(cancelled.hasRolledBack)
        try await isBack(bench)
    }

    @Test func `rolling back supersedes what runs without being asked`() async throws {
        let bench = try await stable()
        let running = try await bench.perform(Self.slow)
        let begun = try #require(
            try await bench.perform(.rollback(to: nil, strategy: nil)).operation)
        bench.mute.withLock { $0 = [] }
        let operation = try await bench.controller.operation(begun.id, within: .seconds(60))
        #expect(operation.phase == .succeeded)
        #expect(operation.fromRevision == 1)
        let old = try await bench.controller.operation(try #require(running.operation?.id))
        #expect(old.phase == .cancelled)
        #expect(try await bench.controller.view("iris").spec.variables.isEmpty)
        await #expect(throws: ControlError.self) {
            try await bench.perform(Self.slow)
            try await bench.perform(.rollback(to: nil, strategy: nil)) { $0.onConflict = .refuse }
        }
    }

    @Test func `stopping breaks an edit off: what is started later is what last worked`()
        async throws
    {
        let bench = try await stable()
        let running = try await bench.perform(Self.slow)
        try await bench.complete(.stop(message: nil))
        let old = try await bench.controller.operation(try #require(running.operation?.id))
        #expect(old.phase == .cancelled)
        #expect(old.hasRolledBack)
        #expect(try await bench.controller.view("iris").revision == 1)
        bench.mute.withLock { $0 = [] }
        try await bench.complete(.start)
        #expect(try await bench.replicas().map(\.revision) == [1])
    }
}
