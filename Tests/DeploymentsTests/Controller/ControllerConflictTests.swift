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

    @Test func `a live edit answers at once with the deployment, not with what runs`() async throws
    {
        let (bench, _) = try await busy()
        let edit = DeploymentChange.patch(.object(["description": "new"]))
        #expect(try await bench.perform(edit).operation == nil)
        // Also when it says nothing new.
        #expect(try await bench.perform(edit).operation == nil)
    }

    @Test func `who asks again for what is at work waits with it`() async throws {
        let (bench, running) = try await busy()
        let again = try await bench.perform(.scale(replicas: 2, until: nil))
        #expect(again.operation?.id == running.id)
    }

    @Test func `a start asked for twice is one`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        try await bench.complete(.stop(message: nil))
        bench.mute.withLock { $0 = ["iris-1"] }
        let first = try await bench.perform(.start)
        let id = try #require(first.operation?.id)
        #expect(try await bench.perform(.start).operation?.id == id)
        #expect(try await bench.controller.view("iris").generation == first.view.generation)
    }

    @Test func `a restart joins what is at work`() async throws {
        let (bench, running) = try await busy()
        let receipt = try await bench.perform(.restart)
        #expect(receipt.operation?.id == running.id)
        bench.mute.withLock { $0 = [] }
        let done = try await bench.controller.operation(running.id, within: .seconds(60))
        #expect(done.phase == .succeeded)
        #expect(done.action == "scale")
        let replicas = try await bench.replicas()
        #expect(replicas.count == 2)
        #expect(!replicas.map(\.name).contains("iris-0"))
    }

    @Test func `a restart during an edit ends with the edit, and goes back with it`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.mute.withLock { $0 = ["iris-1", "iris-2"] }
        let edit = try await bench.perform(.patch(.object(["env": .object(["A": "1"])])))
        let id = try #require(edit.operation?.id)
        #expect(try await bench.perform(.restart).operation?.id == id)
        #expect(try await bench.controller.cancel(id, asked: bench.asked()).hasRolledBack)
        try await bench.until("the old one serves on") {
            try await bench.replicas().map(\.name) == ["iris-0"]
        }
    }

    @Test func `a stop that shall wait waits`() async throws {
        let (bench, running) = try await busy()
        let receipt = try await bench.perform(.stop(message: nil)) { $0.onConflict = .queue }
        #expect(receipt.operation?.phase == .pending)
        #expect(try await bench.controller.view("iris").desire == .running)
        bench.mute.withLock { $0 = [] }
        #expect(
            try await bench.controller.operation(running.id, within: .seconds(60)).phase
                == .succeeded)
        let id = try #require(receipt.operation?.id)
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .succeeded)
        #expect(try await bench.controller.view("iris").status.word == .stopped)
    }

    @Test func `who stops what is stopping is not started by what waited`() async throws {
        let (bench, _) = try await busy()
        bench.gate.setInFlight(1, at: "unix:/scripted/iris-0.sock")
        let stop = try await bench.perform(.stop(message: nil))
        let start = try await bench.perform(.start) { $0.onConflict = .queue }
        #expect(start.operation?.phase == .pending)
        let again = try await bench.perform(.stop(message: nil))
        #expect(again.operation?.id == stop.operation?.id)
        let dropped = try await bench.controller.operation(try #require(start.operation?.id))
        #expect(dropped.phase == .cancelled)
        bench.gate.setInFlight(0, at: "unix:/scripted/iris-0.sock")
        try await bench.until("it is stopped for good") {
            let view = try await bench.controller.view("iris")
            return view.status.word == .stopped && view.operation == nil
        }
        #expect(try await bench.controller.view("iris").desire == .stopped)
    }

    @Test func `what shall wait waits, also when it is so at present`() async throws {
        let (bench, _) = try await busy()
        try await bench.perform(.scale(replicas: 3, until: nil)) { $0.onConflict = .queue }
        let last = try await bench.perform(.scale(replicas: 2, until: nil)) {
            $0.onConflict = .queue
        }
        #expect(last.operation?.phase == .pending)
        bench.mute.withLock { $0 = [] }
        let id = try #require(last.operation?.id)
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .succeeded)
        #expect(try await bench.controller.view("iris").target == 2)
    }

    @Test func `a stop that shall be refused is`() async throws {
        let (bench, _) = try await busy()
        await #expect(throws: ControlError.self) {
            try await bench.perform(.stop(message: nil)) { $0.onConflict = .refuse }
        }
    }

    @Test func `what is at work says so from the beginning`() async throws {
        let (_, running) = try await busy()
        #expect(!running.message.isEmpty)
    }

    @Test func `a full queue is told as such`() async throws {
        let (bench, running) = try await busy()
        for _ in 0..<16 {
            try await bench.perform(.restart) { $0.onConflict = .queue }
        }
        await #expect {
            try await bench.perform(.restart) { $0.onConflict = .queue }
        } throws: { error in
            guard case ControlError.queueFull(let behind, 16) = error else { return false }
            return behind.id == running.id
        }
    }

    @Test(arguments: [
        DeploymentChange.stop(message: nil), .delete, .rollback(to: 1, strategy: nil),
    ])
    func `who waits for a queued change that is dropped hears of it`(
        _ change: DeploymentChange
    ) async throws {
        let (bench, _) = try await busy()
        let receipt = try await bench.perform(.restart) { $0.onConflict = .queue }
        let id = try #require(receipt.operation?.id)
        let controller = bench.controller
        let waiter = Task { try await controller.operation(id, within: .seconds(100)) }
        try await bench.until("somebody waits") { await controller.waiters[id] != nil }
        bench.mute.withLock { $0 = [] }
        try await bench.perform(change)
        #expect(try await waiter.value.phase == .cancelled)
    }

    @Test func `who waits for a queued change that is there already hears of it`() async throws {
        let (bench, _) = try await busy()
        let receipt = try await bench.perform(.scale(replicas: 2, until: nil)) {
            $0.onConflict = .queue
        }
        // It is so already: there is nothing to wait for but what is at work.
        #expect(receipt.operation?.action == "scale")
        let queued = try await bench.perform(.scale(replicas: 3, until: nil)) {
            $0.onConflict = .queue
        }
        let same = try await bench.perform(.scale(replicas: 3, until: nil)) {
            $0.onConflict = .queue
        }
        bench.mute.withLock { $0 = [] }
        for receipt in [queued, same] {
            let id = try #require(receipt.operation?.id)
            let done = try await bench.controller.operation(id, within: .seconds(60))
            #expect(done.phase == .succeeded)
        }
    }

    @Test func `what waits behind a deletion is dropped and told`() async throws {
        let (bench, running) = try await busy()
        let gone = try await bench.perform(.delete) { $0.onConflict = .queue }
        let late = try await bench.perform(.restart) { $0.onConflict = .queue }
        bench.mute.withLock { $0 = [] }
        _ = try await bench.controller.operation(running.id, within: .seconds(60))
        let id = try #require(late.operation?.id)
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .cancelled)
        let deletion = try #require(gone.operation?.id)
        #expect(
            try await bench.controller.operation(deletion, within: .seconds(60)).phase
                == .succeeded)
    }

    @Test func `a queued change waits on while nothing can be stored`() async throws {
        let (bench, running) = try await busy()
        let receipt = try await bench.perform(.restart) { $0.onConflict = .queue }
        let id = try #require(receipt.operation?.id)
        _ = try await bench.controller.cancel(running.id, asked: bench.asked())
        bench.store.fail(with: .full(file: "penstock.db"))
        bench.mute.withLock { $0 = [] }
        await bench.controller.lookAtAll()
        bench.store.fail(with: nil)
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .succeeded)
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
        try await bench.perform(.scale(replicas: 2, until: Date() + 3_600))
        try await bench.until("two run") { try await bench.replicas().count == 2 }
        await bench.jump(seconds: 3_599.9)
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
