// Cancelling: what can be undone is, by every kind of change; what cannot is refused with the
// reason.

import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerCancelTests {
    private func bench(replicas: Int = 1) async throws -> ControllerBench {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: replicas)))
        return bench
    }

    private func begin(
        _ change: DeploymentChange, _ bench: ControllerBench
    ) async throws -> String {
        try #require(try await bench.perform(change).operation?.id)
    }

    private func refusal(
        _ id: String, _ bench: ControllerBench
    ) async throws -> ControlError? {
        do {
            _ = try await bench.controller.cancel(id, asked: bench.asked())
            return nil
        } catch let error as ControlError {
            return error
        }
    }

    @Test func `a stop cannot be cancelled, and goes on`() async throws {
        let bench = try await bench()
        bench.gate.setInFlight(1, at: "unix:/scripted/iris-0.sock")
        let id = try await begin(.stop(message: nil), bench)
        guard case .illegal("cancel", _, let hint)? = try await refusal(id, bench) else {
            Issue.record("not refused")
            return
        }
        #expect(hint.contains("penstock start iris"))
        bench.gate.setInFlight(0, at: "unix:/scripted/iris-0.sock")
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .succeeded)
    }

    @Test func `nor can a deletion`() async throws {
        let bench = try await bench()
        bench.gate.setInFlight(1, at: "unix:/scripted/iris-0.sock")
        let id = try await begin(.delete, bench)
        guard case .illegal("cancel", "deleting", _)? = try await refusal(id, bench) else {
            Issue.record("not refused")
            return
        }
        bench.gate.setInFlight(0, at: "unix:/scripted/iris-0.sock")
        #expect(
            try await bench.controller.operation(id, within: .seconds(60)).phase == .succeeded)
    }

    @Test func `a cancelled creation is stopped, and can be started`() async throws {
        let bench = try await ControllerBench()
        bench.mute.withLock { $0 = ["iris-0"] }
        let id = try await begin(.create(ControllerBench.spec(replicas: 1)), bench)
        let cancelled = try await bench.controller.cancel(id, asked: bench.asked())
        #expect(cancelled.phase == .cancelled)
        #expect(cancelled.message.contains("it is stopped"))
        try await bench.until("it is stopped") {
            try await bench.controller.view("iris").status.word == .stopped
        }
        #expect(try await bench.controller.view("iris").stopMessage != nil)
        #expect(try await bench.complete(.start)?.phase == .succeeded)
    }

    @Test func `a cancelled restart leaves what has not been replaced`() async throws {
        let bench = try await bench(replicas: 2)
        // The first is replaced, the second's successor never answers.
        bench.mute.withLock { $0 = ["iris-3"] }
        let id = try await begin(.restart, bench)
        try await bench.until("one is replaced") {
            let names = try await bench.replicas().map(\.name)
            return names.count == 3 && names.contains("iris-2") && names.contains("iris-3")
        }
        _ = try await bench.controller.cancel(id, asked: bench.asked())
        try await bench.until("the rest stays") {
            let replicas = try await bench.replicas()
            return replicas.count == 2 && replicas.allSatisfy { $0.phase == .ready }
        }
        let names = try await bench.replicas().map(\.name)
        #expect(names.contains("iris-2"))
        #expect(!names.contains("iris-3"))
        // And no more of it later.
        await bench.controller.lookAtAll()
        #expect(try await bench.replicas().map(\.name) == names)
    }

    @Test func `a cancelled number is the old one`() async throws {
        let bench = try await bench()
        try await bench.complete(.scale(replicas: 2, until: nil))
        bench.mute.withLock { $0 = ["iris-2", "iris-3"] }
        let id = try await begin(.scale(replicas: 4, until: nil), bench)
        let cancelled = try await bench.controller.cancel(id, asked: bench.asked())
        #expect(cancelled.message.contains("2 replicas as before"))
        let view = try await bench.controller.view("iris")
        #expect(view.target == 2)
        #expect(view.manualScale?.replicas == 2)
        try await bench.until("two run") { try await bench.replicas().count == 2 }
    }

    @Test func `so is a number that was patched`() async throws {
        let bench = try await bench()
        bench.mute.withLock { $0 = ["iris-1"] }
        let id = try await begin(
            .patch(.object(["scaling": .object(["min_replicas": 2, "max_replicas": 3])])), bench)
        _ = try await bench.controller.cancel(id, asked: bench.asked())
        let view = try await bench.controller.view("iris")
        #expect(view.target == 1)
        #expect(view.spec.scaling.maxReplicas == 3)
    }

    @Test func `a cancelled start is stopped again, with the same words`() async throws {
        let bench = try await bench()
        try await bench.complete(.stop(message: "closed"))
        bench.mute.withLock { $0 = ["iris-1"] }
        let id = try await begin(.start, bench)
        _ = try await bench.controller.cancel(id, asked: bench.asked())
        let view = try await bench.controller.view("iris")
        #expect(view.desire == .stopped)
        #expect(view.stopMessage == "closed")
    }

    @Test func `what is cancelled stays so over a crash`() async throws {
        let bench = try await bench(replicas: 2)
        bench.mute.withLock { $0 = ["iris-2"] }
        let id = try await begin(.restart, bench)
        _ = try await bench.controller.cancel(id, asked: bench.asked())
        try await bench.crash()
        try await bench.until("the old ones serve") {
            try await bench.replicas().map(\.name).sorted() == ["iris-0", "iris-1"]
        }
        #expect(try await bench.controller.operation(id).phase == .cancelled)
    }
}
