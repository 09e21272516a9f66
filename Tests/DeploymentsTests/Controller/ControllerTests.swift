// Deployments through their lives, on a real store and with scripted replicas: each story waits for
// a state of things, never for a moment.

import Foundation
import Guarding
import Notation
import Replicas
import State
import Testing
import Traffic

@testable import Deployments

@Suite(.timeLimit(.minutes(2))) struct ControllerTests {
    @Test func `a created deployment gets its replicas, proved and in the rotation`() async throws {
        let bench = try await ControllerBench()
        let operation = try await bench.complete(.create(ControllerBench.spec()))
        #expect(operation?.phase == .succeeded)
        let view = try await bench.controller.view("iris")
        #expect(view.status.word == .healthy)
        #expect(view.revisionInForce == 1)
        #expect(bench.served.count == 2)
        #expect(bench.gate.plan?.services.contains { $0.name.hasPrefix("~") } == false)
    }

    @Test func `a replica is reachable for nobody before it is proved`() async throws {
        let bench = try await ControllerBench()
        bench.faults.withLock { $0 = ["iris-0": "status 500"] }
        try await bench.perform(.create(ControllerBench.spec(replicas: 1)))
        try await bench.until("its proof fails") {
            try await bench.replicas().contains { $0.cause?.contains("status 500") ?? false }
        }
        #expect(bench.served.isEmpty)
    }

    @Test func `scaling up and down ends with what was asked for`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        try await bench.complete(.scale(replicas: 8, until: nil))
        #expect(bench.served.count == 8)
        let operation = try await bench.complete(.scale(replicas: 2, until: nil))
        #expect(operation?.phase == .succeeded)
        #expect(bench.served.count == 2)
        #expect(try await bench.replicas().count == 2)
        let scaling = try await bench.controller.view("iris").status.condition(.scalingActive)
        #expect(scaling?.reason == "ManualScale")
    }

    @Test func `a replica with requests under way is not told to end`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 2)))
        bench.gate.setInFlight(1, at: "unix:/scripted/iris-1.sock")
        try await bench.perform(.scale(replicas: 1, until: nil))
        try await bench.until("it drains") {
            try await bench.replicas().contains { $0.phase == .draining && $0.inFlight == 1 }
        }
        #expect(!bench.runtime.orders.contains { if case .stop = $0 { true } else { false } })
        bench.gate.setInFlight(0, at: "unix:/scripted/iris-1.sock")
        try await bench.until("it is gone") { try await bench.replicas().count == 1 }
    }

    @Test func `a worker that lags behind keeps a replica from being told to end`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 2)))
        bench.gate.lag(true)
        try await bench.perform(.scale(replicas: 1, until: nil))
        try await bench.until("the plan says so") { bench.served.count == 1 }
        #expect(!bench.runtime.orders.contains { if case .stop = $0 { true } else { false } })
        bench.gate.lag(false)
        try await bench.until("it is gone") { try await bench.replicas().count == 1 }
    }

    @Test func `a restart replaces every replica and makes no revision`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        let before = try await bench.replicas().map(\.name)
        try await bench.complete(.restart)
        let after = try await bench.replicas().map(\.name)
        #expect(Set(before).isDisjoint(with: after))
        #expect(try await bench.controller.revisions(of: "iris").count == 1)
    }

    @Test func `an edit of memory makes a revision and replaces, one of a description does not`()
        async throws
    {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let live = try await bench.perform(.patch(.object(["description": "flowers"])))
        #expect(live.operation == nil)
        #expect(live.view.generation == 2)
        let operation = try await bench.complete(
            .patch(.object(["resources": .object(["memory": "64MiB"])])))
        #expect(operation?.phase == .succeeded)
        #expect(try await bench.controller.view("iris").revision == 2)
        #expect(try await bench.replicas().allSatisfy { $0.revision == 2 })
    }

    @Test func `stopping drains all, starting brings the same back`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        try await bench.complete(.stop(message: "maintenance"))
        let stopped = try await bench.controller.view("iris")
        #expect(stopped.status.word == .stopped)
        #expect(stopped.stopMessage == "maintenance")
        #expect(bench.served.isEmpty)
        #expect(bench.gate.plan?.services.map(\.name) == ["iris"])
        try await bench.complete(.start)
        #expect(bench.served.count == 2)
        #expect(try await bench.controller.view("iris").revision == 1)
    }

    @Test func `deleting leaves a tombstone and a free name`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let operation = try await bench.complete(.delete)
        #expect(operation?.phase == .succeeded)
        await #expect(throws: ControlError.self) { try await bench.controller.view("iris") }
        do {
            _ = try await bench.controller.view("iris")
        } catch ControlError.notFound(_, let deletedAt) {
            #expect(deletedAt != nil)
        }
        #expect(bench.gate.plan?.services.isEmpty == true)
        try await bench.complete(.create(ControllerBench.spec()))
        #expect(bench.served.count == 2)
    }

    @Test func `rolling back makes a new revision of the old content`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        try await bench.complete(.patch(.object(["env": .object(["A": "1"])])))
        try await bench.complete(.rollback(to: nil, strategy: nil))
        let view = try await bench.controller.view("iris")
        #expect(view.revision == 3)
        #expect(view.spec.variables.isEmpty)
        let revisions = try await bench.controller.revisions(of: "iris")
        #expect(revisions.first?.rollbackOf == 1)
        #expect(revisions[0].content.digest == revisions[2].content.digest)
    }

    @Test func `an edit that never works leaves the old replicas serving and is taken back`()
        async throws
    {
        let bench = try await ControllerBench(script: { spec, _ in
            spec.environment["BAD"] == nil ? .runs : .ends(.code(3))
        })
        try await bench.complete(.create(ControllerBench.spec()))
        let served = bench.served
        let operation = try await bench.complete(
            .patch(
                .object([
                    "env": .object(["BAD": "1"]),
                    "strategy": .object(["progress_deadline_seconds": 1]),
                ])))
        #expect(operation?.phase == .failed)
        #expect(operation?.hasRolledBack == true)
        #expect(bench.served == served)
        let view = try await bench.controller.view("iris")
        #expect(view.revision == 1)
        #expect(view.spec.variables.isEmpty)
        try await bench.until("the bad one is gone") {
            try await bench.replicas().allSatisfy { $0.revision == 1 }
        }
    }

    @Test func `one that ends is started anew, and its cause is told`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec(replicas: 1)))
        bench.runtime.end("iris-0", .signal(9, dumped: false))
        try await bench.until("it failed") {
            try await bench.replicas().first?.restarts == 1
        }
        try await bench.until("it is back") {
            try await bench.controller.view("iris").status.word == .healthy
        }
        #expect(try await bench.replicas().first?.cause != nil)
    }

    @Test func `a replica that loads is asked at the path as it is now`() async throws {
        let bench = try await ControllerBench()
        bench.mute.withLock { $0 = ["/wrong"] }
        try await bench.perform(
            .create(ControllerBench.spec(replicas: 1) { $0.loadBalancer.healthPath = "/wrong" }))
        try await bench.until("it was asked") {
            await bench.controller.entries["iris"]?.sightings["iris-0"]?.fault
                == "/wrong: status 503"
        }
        let path = JSONValue.object(["load_balancer": .object(["health_check_path": "/right"])])
        try await bench.perform(.patch(path))
        try await bench.until("it is ready") { bench.served.count == 1 }
    }

    @Test func `one that is never ready is told with its last answer`() async throws {
        let bench = try await ControllerBench()
        bench.mute.withLock { $0 = ["/up"] }
        try await bench.perform(
            .create(
                ControllerBench.spec(replicas: 1) {
                    $0.loadBalancer.healthPath = "/up"
                    $0.lifecycle.startDeadline = .seconds(600)
                }))
        try await bench.until("it was asked") {
            await bench.controller.entries["iris"]?.sightings["iris-0"]?.fault
                == "/up: status 503"
        }
        await bench.jump(seconds: 600)
        try await bench.until("its cause is told") {
            let cause = try await bench.replicas().first?.cause
            return cause?.hasSuffix("last asked, /up: status 503") ?? false
        }
    }

    @Test func `told to stop twice, the end is stored once`() async throws {
        let bench = try await ControllerBench()
        try await bench.complete(.create(ControllerBench.spec()))
        let commits = bench.store.commits
        let controller = bench.controller
        async let first: Void = controller.stop()
        async let second: Void = controller.stop(atOnce: true)
        _ = await (first, second)
        #expect(bench.store.commits == commits + 1)
    }

    @Test func `all operations that are kept are told`() async throws {
        let bench = try await ControllerBench()
        var transaction = Transaction(at: Date(timeIntervalSince1970: 1_800_000_000), actor: "test")
        for index in 0..<1100 {
            var operation = OperationRecord(
                id: "op\(index)", kind: "deployment.scale",
                target: DocumentKey("deployment", "iris"), at: transaction.at, by: "test")
            operation.state = .succeeded
            try transaction.start(&operation, claims: false)
        }
        try await bench.store.store.commit(transaction)
        #expect(try await bench.controller.operations(of: nil).count == 1100)
        #expect(try await bench.controller.operations(of: "iris").count == 1100)
        var question = OperationQuestion(deployment: "iris", newestFirst: true, pageSize: 1000)
        let first = try await bench.controller.operations(question)
        #expect(first.operations.count == 1000 && first.total == 1100)
        question.pageToken = first.nextPageToken
        let last = try await bench.controller.operations(question)
        #expect(last.nextPageToken == nil && last.total == 1100)
        #expect(Set((first.operations + last.operations).map(\.id)).count == 1100)
        question = OperationQuestion(deployment: "rose", pageSize: 10)
        #expect(try await bench.controller.operations(question).total == 0)
    }

    @Test func `waiting for what never comes ends with the test`() async {
        let ticks = Ticks()
        let waiter = Task { try await ticks.next(after: 0) }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
        #expect(ticks.count == 0)
    }
}
