// The file's deployments: applied at start and at reload, three ways, and never deleted. And the
// ends of Penstock: in good order, and not.

import Foundation
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerFileTests {
    @Test func `what the file names is created, and again nothing happens`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        try await bench.until("two are served") { bench.served.count == 2 }
        let version = try await bench.controller.view("iris").resourceVersion
        try await bench.until("it has settled") {
            try await bench.controller.view("iris").operation == nil
        }
        let settled = try await bench.controller.view("iris").generation
        try await bench.controller.apply([ControllerBench.spec()])
        #expect(try await bench.controller.view("iris").generation == settled)
        #expect(!version.isEmpty)
    }

    @Test func `a field that the file did not change keeps the API's value`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec { $0.description = "file" }])
        try await bench.until("it has settled") {
            try await bench.controller.view("iris").operation == nil
        }
        try await bench.perform(.patch(.object(["description": "api", "owner": "ada"])))
        try await bench.controller.apply([
            ControllerBench.spec {
                $0.description = "file"
                $0.labels = ["team": "flowers"]
            }
        ])
        let spec = try await bench.controller.view("iris").spec
        #expect(spec.description == "api")
        #expect(spec.owner == "ada")
        #expect(spec.labels == ["team": "flowers"])
        try await bench.controller.apply([
            ControllerBench.spec {
                $0.description = "file, changed"
                $0.labels = ["team": "flowers"]
            }
        ])
        #expect(try await bench.controller.view("iris").spec.description == "file, changed")
    }

    @Test func `what the file names no more runs on and says so`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        try await bench.until("two are served") { bench.served.count == 2 }
        try await bench.controller.apply([])
        #expect(bench.served.count == 2)
        let events = try await bench.store.events(
            EventQuery(of: DeploymentKeys.deployment("iris")))
        #expect(events.events.contains { $0.reason == "NotInFile" })
    }

    @Test func `another version in the file is a rolling update`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        try await bench.until("two are served") { bench.served.count == 2 }
        try await bench.controller.apply([ControllerBench.spec { $0.version = "v2" }])
        try await bench.until("both are new") {
            try await bench.replicas().allSatisfy { $0.revision == 2 } && bench.served.count == 2
        }
        #expect(try await bench.controller.revisions(of: "iris").first?.kind == .update)
    }

    @Test func `what can never change is refused with its name`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        await #expect {
            try await bench.controller.check([ControllerBench.spec { $0.model = "other" }])
        } throws: { error in
            "\(error)".contains("'model' of deployment 'iris' never changes")
        }
    }

    @Test func `an orderly end leaves nothing running and the next start begins at once`()
        async throws
    {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        try await bench.until("two are served") { bench.served.count == 2 }
        await bench.controller.stop()
        #expect(bench.runtime.live.isEmpty)
        try await bench.crash()
        try await bench.until("two are served again") { bench.served.count == 2 }
        #expect(try await bench.replicas().allSatisfy { $0.restarts == 0 })
    }

    @Test func `replicas that are kept are taken over`() async throws {
        let bench = try await ControllerBench()
        try await bench.controller.apply([ControllerBench.spec()])
        try await bench.until("two are served") { bench.served.count == 2 }
        await bench.controller.leave()
        let before = bench.served
        try await bench.crash()
        #expect(bench.served == before)
        try await bench.until("they are healthy") {
            try await bench.controller.view("iris").status.word == .healthy
        }
        #expect(bench.runtime.orders == [.adopt("iris-0"), .adopt("iris-1")])
    }

    @Test func `a replica that died meanwhile is started anew, one that nobody knows is ended`()
        async throws
    {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        await bench.controller.abandon()
        bench.runtime.end("iris-0", .signal(9, dumped: false))
        _ = try await bench.runtime.start(
            ReplicaSpec(
                name: "stranger-0", deployment: "stranger", model: "m", version: "v",
                command: ["serve"]))
        try await bench.crash()
        try await bench.until("two are served") {
            try await bench.replicas().contains { $0.restarts == 1 } && bench.served.count == 2
        }
        #expect(!bench.runtime.live.contains("stranger-0"))
    }
}
