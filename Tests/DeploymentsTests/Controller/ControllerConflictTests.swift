// Two who want something at once, a client that asks twice, a disk that is full, a file that is
// applied again: nothing is done half, and everybody is told.

import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerConflictTests {
    /// A deployment whose new replicas never answer, so that its operation stays open.
    private func busy() async throws -> (ControllerBench, DeploymentOperation) {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.mute.withLock { $0 = ["iris-1", "iris-2"] }
        let receipt = try await bench.perform(.scale(replicas: 2, until: nil))
        return (bench, try #require(receipt.operation))
    }

    @Test func `a second change is refused with the one that runs`() async throws {
        let (bench, running) = try await busy()
        await #expect {
            try await bench.perform(.patch(.object(["env": .object(["A": "1"])])))
        } throws: { error in
            if case ControlError.busy(let operation) = error {
                operation.id == running.id
            } else {
                false
            }
        }
        #expect(try await bench.controller.view("iris").revision == 1)
    }

    @Test func `a live edit does not wait for anything`() async throws {
        let (bench, _) = try await busy()
        let receipt = try await bench.perform(.patch(.object(["description": "new"])))
        #expect(receipt.view.spec.description == "new")
    }

    @Test func `a superseding change cancels the one that runs`() async throws {
        let (bench, running) = try await busy()
        let receipt = try await bench.perform(.scale(replicas: 1, until: nil)) {
            $0.onConflict = .supersede
        }
        #expect(try await bench.controller.operation(running.id).phase == .cancelled)
        let next = try #require(receipt.operation)
        let done = try await bench.controller.operation(next.id, within: .seconds(60))
        #expect(done.phase == .succeeded)
    }

    @Test func `a queued change begins when the one before it has ended`() async throws {
        let (bench, running) = try await busy()
        let receipt = try await bench.perform(.restart) { $0.onConflict = .queue }
        let queued = try #require(receipt.operation)
        #expect(queued.phase == .pending)
        bench.mute.withLock { $0 = [] }
        #expect(
            try await bench.controller.operation(running.id, within: .seconds(60)).phase
                == .succeeded)
        #expect(
            try await bench.controller.operation(queued.id, within: .seconds(60)).phase
                == .succeeded)
        #expect(try await bench.replicas().allSatisfy { !["iris-0"].contains($0.name) })
    }

    @Test func `a queued change outlives a crash`() async throws {
        let (bench, _) = try await busy()
        let receipt = try await bench.perform(.restart) { $0.onConflict = .queue }
        let queued = try #require(receipt.operation)
        bench.mute.withLock { $0 = [] }
        try await bench.crash()
        #expect(
            try await bench.controller.operation(queued.id, within: .seconds(60)).phase
                == .succeeded)
    }

    @Test func `restarting what restarts is the same operation`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.mute.withLock { $0 = ["iris-1"] }
        let first = try await bench.perform(.restart)
        let second = try await bench.perform(.restart)
        #expect(first.operation?.id == second.operation?.id)
    }

    @Test func `stopping ends whatever runs, without being asked how`() async throws {
        let (bench, running) = try await busy()
        let operation = try await bench.complete(.stop(message: nil))
        #expect(operation?.phase == .succeeded)
        #expect(try await bench.controller.operation(running.id).phase == .cancelled)
    }

    @Test func `a cancelled edit goes back to the revision before`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.mute.withLock { $0 = ["iris-1"] }
        let receipt = try await bench.perform(.patch(.object(["env": .object(["A": "1"])])))
        let id = try #require(receipt.operation?.id)
        let cancelled = try await bench.controller.cancel(id, asked: bench.asked())
        #expect(cancelled.phase == .cancelled)
        #expect(cancelled.hasRolledBack)
        #expect(try await bench.controller.view("iris").revision == 1)
        try await bench.until("the new one is gone") { try await bench.replicas().count == 1 }
        #expect(bench.served == ["unix:/scripted/iris-0.sock"])
    }

    @Test func `a version that was read before another change is stale`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let version = try await bench.controller.view("iris").resourceVersion
        try await bench.perform(.patch(.object(["description": "x"])))
        await #expect(throws: ControlError.self) {
            try await bench.perform(.patch(.object(["description": "y"]))) {
                $0.expectedVersion = version
            }
        }
    }

    @Test func `a dry run says what would be and changes nothing`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let before = try await bench.controller.view("iris")
        let receipt = try await bench.perform(.patch(.object(["env": .object(["A": "1"])]))) {
            $0.isDryRun = true
        }
        #expect(receipt.plan.makesRevision)
        #expect(receipt.view.spec.variables == ["A": "1"])
        #expect(try await bench.controller.view("iris") == before)
    }

    @Test func `the answer to a repetition is stored with the change`() async throws {
        let bench = try await ControllerBench()
        let key = IdempotencyKey(key: "k", token: "t")
        _ = try await bench.store.store.beginIdempotent(key, requestHash: "h", now: Date())
        try await bench.perform(.create(ControllerBench.spec())) {
            $0.repetition = RepetitionKey(key: "k", token: "t")
            $0.answer = { RepeatedAnswer(status: 202, body: Array($0.view.id.utf8)) }
        }
        let again = try await bench.store.store.beginIdempotent(
            key, requestHash: "h", now: Date())
        let id = try await bench.controller.view("iris").id
        guard case .done(let answer) = again else {
            Issue.record("not done: \(again)")
            return
        }
        #expect(String(decoding: answer.body, as: UTF8.self) == id)
    }

    @Test func `a full disk refuses changes, keeps the plan, and is said`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let served = bench.served
        bench.store.fail(with: .full(file: "penstock.db"))
        await #expect(throws: ControlError.self) { try await bench.perform(.restart) }
        bench.runtime.end("iris-0", .signal(9, dumped: false))
        try await bench.until("it is said") {
            try await bench.controller.view("iris").status.condition(.readOnly)?.truth == .yes
        }
        #expect(bench.served == served)
        bench.store.fail(with: nil)
        try await bench.until("it goes on") {
            try await bench.replicas().contains { $0.restarts == 1 }
        }
        let view = try await bench.controller.view("iris")
        #expect(view.status.condition(.readOnly) == nil)
    }

    @Test(arguments: [
        StateError.tooLarge(what: "a status", bytes: 2, limit: 1),
        .noRoom(what: "documents", limit: 1),
        .stale(DocumentKey("deployment", "iris"), expected: 1, found: 2),
    ])
    func `what is refused to one deployment is not a full disk`(error: StateError) async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        bench.store.fail(with: error)
        bench.runtime.end("iris-0", .signal(9, dumped: false))
        try await bench.until("it is refused") { bench.store.refusals.withLock { $0 } > 0 }
        #expect(await bench.controller.readOnlyBecause == nil)
        bench.store.fail(with: nil)
        try await bench.until("it goes on") {
            try await bench.replicas().contains { $0.restarts == 1 }
        }
    }

    @Test func `a number set for a time ends by itself`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        try await bench.perform(.scale(replicas: 2, until: Date() + 0.7))
        try await bench.until("two run") { try await bench.replicas().count == 2 }
        try await bench.until("one runs") { try await bench.replicas().count == 1 }
        #expect(try await bench.controller.view("iris").manualScale == nil)
    }

    @Test func `one replica can be held, restored, replaced and ended`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        func act(_ action: ReplicaAction, _ replica: String) async throws {
            _ = try await bench.controller.act(
                action, on: replica, of: "iris", asked: bench.asked())
        }
        try await act(.drain, "iris-0")
        try await bench.until("out of the rotation") { bench.served.count == 1 }
        #expect(try await bench.replicas().count == 2)
        try await act(.undrain, "iris-0")
        try await bench.until("back") { bench.served.count == 2 }
        try await act(.restart, "iris-0")
        try await bench.until("replaced") {
            try await bench.replicas().map(\.name) == ["iris-1", "iris-2"]
        }
        try await act(.eject, "iris-1")
        try await bench.until("ended and replaced") {
            try await bench.replicas().map(\.name) == ["iris-2", "iris-3"]
                && bench.served.count == 2
        }
    }

    @Test func `no more GPUs are promised than there are`() async throws {
        let gpus = (0..<2).map { GPUDevice(id: "\($0)", type: "T4", memoryBytes: 1 << 34) }
        let bench = try await ControllerBench(
            capacity: RuntimeCapacity(cores: 8, memoryBytes: 1 << 34, gpus: gpus))
        let spec = ControllerBench.spec { $0.resources.gpu = 1 }
        try await bench.complete(.create(spec))
        await #expect(throws: ControlError.self) {
            try await bench.perform(
                .create(ControllerBench.spec("other", replicas: 1) { $0.resources.gpu = 1 }),
                of: "other")
        }
        #expect(try await bench.controller.list().map(\.spec.name) == ["iris"])
    }
}
