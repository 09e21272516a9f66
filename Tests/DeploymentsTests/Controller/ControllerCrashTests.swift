// The controller killed on either side of every commit of every change, with two deployments under
// way: replicas live on, nothing is started twice, nothing is left over, the wish is met.

import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing

@testable import Deployments

@Suite(.timeLimit(.minutes(5))) struct ControllerCrashTests {
    enum Story: String, CaseIterable, Sendable {
        case create, scale, restart, edit, stop, delete

        var change: DeploymentChange {
            switch self {
            case .create: .create(ControllerBench.spec())
            case .scale: .scale(replicas: 3, until: nil)
            case .restart: .restart
            case .edit: .patch(.object(["env": .object(["A": "1"])]))
            case .stop: .stop(message: nil)
            case .delete: .delete
            }
        }

        func change(of name: String) -> DeploymentChange {
            self == .create ? .create(ControllerBench.spec(name)) : change
        }

        /// Replicas of each deployment once it is over; nil when the deployment is gone.
        var replicas: Int? {
            switch self {
            case .create, .restart, .edit: 2
            case .scale: 3
            case .stop: 0
            case .delete: nil
            }
        }
    }

    private static let names = ["a", "b"]

    @Test(arguments: Story.allCases, FaultyStore.Side.allCases)
    func `killed at any commit it goes on where it was`(
        _ story: Story, _ side: FaultyStore.Side
    ) async throws {
        // Every fourth of them here; the story of the crash matrix takes them all.
        for commit in stride(from: side == .before ? 1 : 3, through: 80, by: 4) {
            guard try await survives(story, commit, side) else { return }
        }
        Issue.record("\(story): more commits than expected")
    }

    /// False when the story ended before that commit.
    private func survives(
        _ story: Story, _ commit: Int, _ side: FaultyStore.Side
    ) async throws -> Bool {
        let label = "\(story) killed \(side) commit \(commit)"
        let bench = try await ControllerBench()
        if story != .create {
            for name in Self.names {
                try await bench.complete(.create(ControllerBench.spec(name)), of: name)
            }
        }
        bench.store.cutOff(atCommit: commit, side)
        let controller = bench.controller
        let asked = bench.asked()
        let work = Self.names.map { name in
            Task {
                let made = try await controller.perform(
                    story.change(of: name), of: name, asked: asked)
                guard let operation = made.operation else { return }
                _ = try? await controller.operation(operation.id, within: .seconds(60))
            }
        }
        let isCut = try await ends(work, bench)
        let before = bench.served
        try await bench.crash()
        if !before.isEmpty, story.replicas ?? 0 > 0 {
            #expect(!bench.served.isEmpty, "\(label): served at once after the start")
        }
        try await finish(bench, story, label)
        return isCut
    }

    /// Whether it was cut off before all of it was done.
    private func ends(
        _ work: [Task<Void, any Error>], _ bench: ControllerBench
    ) async throws -> Bool {
        let (ticks, cut) = (bench.ticks, bench.store.hasCut)
        let isDone = Guarded(false)
        let waiter = Task {
            for task in work { _ = await task.result }
            isDone.withLock { $0 = true }
            ticks.tick()
        }
        while true {
            let seen = ticks.count
            if cut.withLock({ $0 }) { break }
            if isDone.withLock({ $0 }) { return false }
            try await ticks.next(after: seen)
        }
        for task in work { task.cancel() }
        waiter.cancel()
        return true
    }

    private func finish(
        _ bench: ControllerBench, _ story: Story, _ label: String
    ) async throws {
        for name in Self.names {
            // Killed before it was stored: asked again, as a client would.
            let exists = (try? await bench.controller.view(name)) != nil
            if story == .create, !exists {
                try await bench.complete(story.change(of: name), of: name)
            }
            try await bench.until("\(label): \(name) settles") {
                guard let view = try? await bench.controller.view(name) else { return true }
                return view.operation == nil && view.status.word != .deleting
            }
            guard exists else { continue }
            let view = try? await bench.controller.view(name)
            let count = (try? await bench.replicas(name).count) ?? 0
            #expect(count == view?.target ?? 0, "\(label): \(name)")
        }
        let known = await Self.names.asyncMap { name in
            (try? await bench.replicas(name).map(\.name)) ?? []
        }.joined().sorted()
        #expect(bench.runtime.live == known, "\(label): live are those that are known")
        #expect(bench.served.count == known.count, "\(label): all that live are served")
        let starts = bench.runtime.orders.compactMap { order in
            if case .start(let name) = order { name } else { nil }
        }
        #expect(Set(starts).count == starts.count, "\(label): nothing is started twice")
        #expect(try await bench.store.store.verifyAudit().isIntact, "\(label): audit")
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(
        _ transform: (Element) async throws -> Value
    ) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
