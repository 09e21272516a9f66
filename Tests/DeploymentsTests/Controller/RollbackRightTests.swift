// Rolling back needs less of a right than deploying, so it goes back only: to what has run as it
// should and is older than what runs, whatever number it has, and without another strategy.

import Deployments
import Foundation
import Guarding
import Notation
import State
import Testing

@Suite struct RollbackRightTests {
    /// Revisions 1, 2 and 3, each of other content, all good.
    private func bench() async throws -> ControllerBench {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        for value in ["1", "2"] { try await bench.complete(patch(value)) }
        return bench
    }

    private func patch(_ value: String) -> DeploymentChange {
        .patch(.object(["env": .object(["A": .string(value)])]))
    }

    /// By somebody who may not update.
    private func rollBack(
        _ bench: ControllerBench, to number: Int?, strategy: StrategySpec? = nil
    ) async throws {
        let receipt = try await bench.perform(.rollback(to: number, strategy: strategy)) {
            ($0.isAdmin, $0.mayUpdate) = (false, false)
        }
        let operation = try #require(receipt.operation)
        _ = try await bench.controller.operation(operation.id, within: .seconds(100))
    }

    private func isRefused(
        _ bench: ControllerBench, to number: Int?, strategy: StrategySpec? = nil
    ) async throws -> Bool {
        do {
            try await rollBack(bench, to: number, strategy: strategy)
            return false
        } catch ControlError.needsUpdate {
            return true
        }
    }

    @Test func `nobody comes forward again by going back`() async throws {
        let bench = try await bench()
        try await rollBack(bench, to: 1)
        #expect(try await bench.controller.view("iris").spec.variables.isEmpty)
        for number in [2, 3, 4] { #expect(try await isRefused(bench, to: number), "\(number)") }
        #expect(try await bench.controller.view("iris").revision == 4)
        try await bench.complete(.rollback(to: 3, strategy: nil))
        #expect(try await bench.controller.view("iris").spec.variables["A"] == "2")
        try await rollBack(bench, to: 2)
        #expect(try await bench.controller.view("iris").spec.variables["A"] == "1")
    }

    @Test func `without a number it goes to the newest that is older`() async throws {
        let bench = try await bench()
        try await rollBack(bench, to: nil)
        #expect(try await bench.controller.view("iris").spec.variables["A"] == "1")
        try await rollBack(bench, to: nil)
        #expect(try await bench.controller.view("iris").spec.variables.isEmpty)
        do {
            try await rollBack(bench, to: nil)
            Issue.record("there is nothing older")
        } catch ControlError.illegal {}
    }

    @Test func `what has never run is not gone back to`() async throws {
        let bench = try await bench()
        bench.mute.withLock { $0 = Set((0..<40).map { "iris-\($0)" }) }
        let broken = try await bench.perform(patch("broken"))
        let operation = try #require(broken.operation)
        _ = try await bench.controller.cancel(operation.id, asked: bench.asked())
        bench.mute.withLock { $0 = [] }
        try await bench.complete(patch("good"))
        #expect(try await bench.controller.view("iris").revision == 5)
        #expect(try await isRefused(bench, to: 4))
        #expect(try await !isRefused(bench, to: 3))
    }

    @Test func `a strategy that would stay is not given by the way`() async throws {
        let bench = try await bench()
        var other = try await bench.controller.view("iris").spec.strategy
        other.minHealthy = .seconds(3)
        #expect(try await isRefused(bench, to: 1, strategy: other))
        let own = try await bench.controller.view("iris").spec.strategy
        #expect(try await !isRefused(bench, to: 1, strategy: own))
    }
}
