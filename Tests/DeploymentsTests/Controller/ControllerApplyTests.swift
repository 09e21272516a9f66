// Documents applied by somebody else than the gateway's own file: the same three ways, and a reload
// of the file leaves them alone.

import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerApplyTests {
    private func request(_ source: String) -> ChangeRequest {
        var asked = ChangeRequest(actor: "test")
        asked.source = source
        return asked
    }

    @Test func `a reload does not call an applied deployment an orphan`() async throws {
        let bench = try await ControllerBench()
        let spec = ControllerBench.spec()
        _ = try await bench.controller.perform(
            .apply(spec), of: spec.name, asked: request("team"))
        try await bench.controller.apply([])
        let view = try await bench.controller.view(spec.name)
        #expect(view.appliedFrom == "team" && !view.isOrphaned)
        #expect(view.lastApplied == spec)
    }

    @Test func `the file takes over what it names, and orphans it later`() async throws {
        let bench = try await ControllerBench()
        let spec = ControllerBench.spec()
        _ = try await bench.controller.perform(
            .apply(spec), of: spec.name, asked: request("team"))
        try await bench.controller.apply([spec])
        #expect(try await bench.controller.view(spec.name).appliedFrom == "file")
        try await bench.controller.apply([])
        #expect(try await bench.controller.view(spec.name).isOrphaned)
    }

    @Test func `fields that the file did not change keep their value`() async throws {
        let bench = try await ControllerBench()
        let first = ControllerBench.spec { $0.description = "of the file" }
        _ = try await bench.controller.perform(
            .apply(first), of: first.name, asked: request("team"))
        _ = try await bench.controller.perform(
            .patch(.object(["owner": "by hand"])), of: first.name,
            asked: ChangeRequest(actor: "test"))
        let next = ControllerBench.spec { $0.description = "anew" }
        _ = try await bench.controller.perform(
            .apply(next), of: first.name, asked: request("team"))
        let spec = try await bench.controller.view(first.name).spec
        #expect(spec.owner == "by hand" && spec.description == "anew")
    }

    /// Applies a file and waits for the end of what it began.
    private func apply(
        _ spec: DeploymentSpec, _ bench: ControllerBench
    ) async throws -> DeploymentOperation? {
        let receipt = try await bench.controller.perform(
            .apply(spec), of: spec.name, asked: request("team"))
        guard let operation = receipt.operation else { return nil }
        return try await bench.controller.operation(operation.id, within: .seconds(100))
    }

    private static func spec(_ variables: [String: String], cpu: Int = 100) -> DeploymentSpec {
        ControllerBench.spec(replicas: 1) {
            $0.variables = variables
            $0.resources.cpuMillis = cpu
            $0.strategy.progressDeadline = .seconds(variables["BAD"] == nil ? 60 : 1)
        }
    }

    /// What has BAD in its environment ends at once.
    private func served() async throws -> ControllerBench {
        let bench = try await ControllerBench(script: { spec, _ in
            spec.environment["BAD"] == nil ? .runs : .ends(.code(3))
        })
        _ = try await apply(Self.spec(["A": "1"]), bench)
        return bench
    }

    @Test func `what a file said that went back is tried anew when it says so again`()
        async throws
    {
        let bench = try await served()
        let failed = try #require(try await apply(Self.spec(["BAD": "1"]), bench))
        #expect(failed.hasRolledBack)
        #expect(try await bench.controller.view("iris").spec.variables == ["A": "1"])
        let again = try await apply(Self.spec(["BAD": "1"]), bench)
        #expect(again?.phase == .failed)
    }

    @Test func `the next file counts whole after one that went back`() async throws {
        let bench = try await served()
        _ = try await apply(Self.spec(["BAD": "1"], cpu: 200), bench)
        // Half of what failed is kept, half is mended.
        _ = try await apply(Self.spec(["GOOD": "1"], cpu: 200), bench)
        let spec = try await bench.controller.view("iris").spec
        #expect(spec.variables == ["GOOD": "1"])
        #expect(spec.resources.cpuMillis == 200)
    }

    @Test func `what others set stays when a file goes back`() async throws {
        let bench = try await served()
        try await bench.complete(
            .patch(.object(["resources": .object(["cpu": .number(0.3)])])))
        _ = try await apply(Self.spec(["BAD": "1"]), bench)
        _ = try await apply(Self.spec(["GOOD": "1"]), bench)
        let spec = try await bench.controller.view("iris").spec
        #expect(spec.variables == ["GOOD": "1"])
        #expect(spec.resources.cpuMillis == 300)
    }

    @Test(arguments: [false, true])
    func `a file that was taken back is tried anew, too`(byStop: Bool) async throws {
        let bench = try await served()
        bench.mute.withLock { $0 = ["iris-1"] }
        let asked = request("team")
        let receipt = try await bench.controller.perform(
            .apply(Self.spec(["B": "2"])), of: "iris", asked: asked)
        if byStop {
            try await bench.complete(.stop(message: nil))
            bench.mute.withLock { $0 = [] }
            try await bench.complete(.start)
        } else {
            _ = try await bench.controller.cancel(
                try #require(receipt.operation?.id), asked: bench.asked())
        }
        #expect(try await bench.controller.view("iris").spec.variables == ["A": "1"])
        bench.mute.withLock { $0 = [] }
        _ = try await apply(Self.spec(["B": "2"]), bench)
        #expect(try await bench.controller.view("iris").spec.variables == ["B": "2"])
    }

    @Test func `files that wait go over each other, not over what was when they were sent`()
        async throws
    {
        let bench = try await served()
        bench.mute.withLock { $0 = ["iris-1"] }
        try await bench.perform(.scale(replicas: 2, until: nil))
        var asked = request("team")
        asked.onConflict = .queue
        var ids: [String] = []
        for spec in [Self.spec(["A": "2"]), Self.spec(["A": "1"], cpu: 200)] {
            let receipt = try await bench.controller.perform(
                .apply(spec), of: "iris", asked: asked)
            ids.append(try #require(receipt.operation?.id))
        }
        bench.mute.withLock { $0 = [] }
        for id in ids {
            let done = try await bench.controller.operation(id, within: .seconds(100))
            #expect(done.phase == .succeeded)
        }
        let spec = try await bench.controller.view("iris").spec
        #expect(spec.variables == ["A": "1"])
        #expect(spec.resources.cpuMillis == 200)
    }
}
