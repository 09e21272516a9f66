// What a change names is stored with it or not at all: model versions, and the versions of secrets
// that revisions mean for good.

import Fixtures
import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerResolvingTests {
    /// What each replica was told, by its name.
    private let told = Guarded<[String: String]>([:])

    /// A deployment of one file.
    private func spec(
        _ bench: ControllerBench, _ name: String = "iris", cpu: Int = 100
    ) throws -> DeploymentSpec {
        let file = bench.scratch.file("model.bin")
        try Data("weights".utf8).write(to: file)
        return ControllerBench.spec(name, replicas: 1) {
            $0.command = ["serve", "{artifact}", "{address}"]
            $0.artifact = file.path(percentEncoded: false)
            $0.resources.cpuMillis = cpu
        }
    }

    private func registered(_ bench: ControllerBench) async throws -> [String] {
        try await StoredModels(store: bench.store.store).versions(of: nil).map {
            "\($0.model) \($0.version)"
        }
    }

    @Test func `an accepted creation registers its version with itself`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        let before = bench.store.commits
        try await bench.perform(.create(try spec(bench)))
        #expect(bench.store.commits >= before + 1)
        #expect(try await registered(bench) == ["iris v1"])
        let facts = try await bench.controller.revisions(of: "iris")[0].content.facts
        #expect(facts.artifact?.sha256.count == 64)
    }

    @Test func `a creation that does not fit registers nothing`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        var spec = try spec(bench)
        spec.resources.gpu = 1
        await #expect(throws: ControlError.self) { try await bench.perform(.create(spec)) }
        #expect(try await registered(bench).isEmpty)
    }

    @Test func `nor does an update that is refused because another is at work`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        try await bench.complete(.create(try spec(bench)))
        bench.mute.withLock { $0 = ["iris-1"] }
        try await bench.perform(.restart)
        let file = bench.scratch.file("next.bin").path(percentEncoded: false)
        try Data("more".utf8).write(to: URL(filePath: file))
        await #expect(throws: ControlError.self) {
            try await bench.perform(.updateModel(version: "v77", artifact: file, strategy: nil))
        }
        #expect(try await registered(bench) == ["iris v1"])
    }

    @Test func `nor does a plan`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        _ = try await bench.controller.plan(
            .create(try spec(bench)), of: "iris", asked: bench.asked())
        #expect(try await registered(bench).isEmpty)
    }

    @Test func `two that register the same at once both succeed`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        let (one, two) = (try spec(bench, "one"), try spec(bench, "two"))
        let (controller, asked) = (bench.controller, bench.asked())
        async let first = controller.perform(
            .create(one.with { $0.model = "m" }), of: "one", asked: asked)
        async let second = controller.perform(
            .create(two.with { $0.model = "m" }), of: "two", asked: asked)
        _ = try await (first, second)
        #expect(try await registered(bench) == ["m v1"])
    }

    // MARK: Secrets

    private func set(_ value: String, _ bench: ControllerBench) async throws {
        _ = try await StoredVariables(store: bench.store.store).set(
            "token", .secret(value), in: .development, description: nil, by: "me", at: Date())
    }

    private func withSecret() async throws -> ControllerBench {
        let told = told
        let bench = try await ControllerBench(script: { spec, run in
            told.withLock { $0["\(spec.name) run \(run)"] = spec.environment["HF"] }
            return .runs
        })
        try await set("the first value", bench)
        let spec = ControllerBench.spec(replicas: 1) {
            $0.environment = .development
            $0.secrets = ["HF": Reference(name: "token")]
        }
        try await bench.complete(.create(spec))
        return bench
    }

    @Test func `a replica starts again with its secret after a hundred newer ones`() async throws {
        let bench = try await withSecret()
        for number in 2...105 { try await set("value \(number)", bench) }
        bench.runtime.end("iris-0", .signal(9, dumped: false))
        try await bench.until("it is back") {
            let replica = try await bench.replicas().first
            return replica?.restarts == 1 && replica?.phase == .ready
        }
        #expect(told.withLock { $0["iris-0 run 2"] } == "the first value")
    }

    @Test func `a secret that a revision can go back to cannot be removed`() async throws {
        let bench = try await withSecret()
        try await bench.complete(.patch(.object(["secrets": .null])))
        let variables = StoredVariables(store: bench.store.store)
        await #expect(
            throws: VariableError.inUse(.secret, "token", users: ["iris revision 1"])
        ) {
            try await variables.remove(.secret, "token", by: "me", at: Date())
        }
        try await bench.complete(.rollback(to: 1, strategy: nil))
        #expect(told.withLock { $0["iris-2 run 1"] } == "the first value")
        try await bench.complete(.delete)
        try await variables.remove(.secret, "token", by: "me", at: Date())
    }

    @Test func `what a replica prints of its secrets is not shown`() async throws {
        let bench = try await withSecret()
        bench.runtime.say(["token is the first value", "nothing else"], by: "iris-0")
        let page = try await bench.controller.logs(
            LogQuery(deployment: "iris", replica: "iris-0"))
        #expect(page.lines.map(\.text) == ["token is ***", "nothing else"])
    }

    @Test func `what was looked up stays right while live fields are edited`() {
        let first = ChangeDecision(
            record: DeploymentRecord(spec: ControllerBench.spec()),
            revision: .init(kind: .config))
        var live = first
        live.record.spec.description = "edited meanwhile"
        live.record.epoch += 1
        #expect(live.looksUp(thatOf: first))
        var other = first
        other.record.spec.version = "v2"
        #expect(!other.looksUp(thatOf: first))
        // Deleted and made anew meanwhile: its secrets are of another place.
        other = first
        other.record.spec.environment = .production
        #expect(!other.looksUp(thatOf: first))
        other = first
        other.revision?.kind = .rollback
        #expect(!other.looksUp(thatOf: first))
    }

    @Test func `many that supersede each other are all told what became of them`() async throws {
        let bench = try await ControllerBench(hasModels: true)
        try await bench.complete(.create(try spec(bench)))
        bench.mute.withLock { $0 = Set((1..<100).map { "iris-\($0)" }) }
        let (controller, asked) = (bench.controller, bench.asked { $0.onConflict = .supersede })
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask {
                    _ = try await controller.perform(
                        .patch(.object(["env": .object(["A": .string("\(number)")])])),
                        of: "iris", asked: asked)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await bench.controller.revisions(of: "iris").count > 1)
    }
}

extension DeploymentSpec {
    fileprivate func with(_ change: (inout DeploymentSpec) -> Void) -> DeploymentSpec {
        var spec = self
        change(&spec)
        return spec
    }
}
