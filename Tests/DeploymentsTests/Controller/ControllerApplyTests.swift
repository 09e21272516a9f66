// Documents applied by somebody else than the gateway's own file: the same three ways, and a reload
// of the file leaves them alone.

import Notation
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
            .apply(spec, last: nil), of: spec.name, asked: request("team"))
        try await bench.controller.apply([])
        let view = try await bench.controller.view(spec.name)
        #expect(view.appliedFrom == "team" && !view.isOrphaned)
        #expect(view.lastApplied == spec)
    }

    @Test func `the file takes over what it names, and orphans it later`() async throws {
        let bench = try await ControllerBench()
        let spec = ControllerBench.spec()
        _ = try await bench.controller.perform(
            .apply(spec, last: nil), of: spec.name, asked: request("team"))
        try await bench.controller.apply([spec])
        #expect(try await bench.controller.view(spec.name).appliedFrom == "file")
        try await bench.controller.apply([])
        #expect(try await bench.controller.view(spec.name).isOrphaned)
    }

    @Test func `fields that the file did not change keep their value`() async throws {
        let bench = try await ControllerBench()
        let first = ControllerBench.spec { $0.description = "of the file" }
        _ = try await bench.controller.perform(
            .apply(first, last: nil), of: first.name, asked: request("team"))
        _ = try await bench.controller.perform(
            .patch(.object(["owner": "by hand"])), of: first.name,
            asked: ChangeRequest(actor: "test"))
        let next = ControllerBench.spec { $0.description = "anew" }
        _ = try await bench.controller.perform(
            .apply(next, last: first), of: first.name, asked: request("team"))
        let spec = try await bench.controller.view(first.name).spec
        #expect(spec.owner == "by hand" && spec.description == "anew")
    }
}
