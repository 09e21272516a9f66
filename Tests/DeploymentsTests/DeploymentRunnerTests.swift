// The runner with scripted replicas, a probe that says yes, and a plan that is a
// list: what is in it when, and who is stopped after.

import Deployments
import Logging
import Replicas
import Synchronization
import Testing
import Traffic

@Suite struct DeploymentRunnerTests {
    @Test func `a replica enters the plan once proven, under its version`() async throws {
        let stage = Stage()
        try await stage.runner.apply([stage.deployment(version: "v1", replicas: 2)])

        let service = await stage.until { $0.revisions[0].endpoints.count == 2 }
        #expect(service.revisions.map(\.name) == ["v1"])
        #expect(service.revisions.map(\.weight) == [1000])
        #expect(service.revisions[0].endpoints.allSatisfy { $0.concurrency == 3 })

        await stage.runner.stop()
        #expect(await stage.runner.snapshot().map(\.ready) == [0])
    }

    @Test func `a new version takes over when it is wholly ready, and the plan is never empty`()
        async throws
    {
        let stage = Stage()
        try await stage.runner.apply([stage.deployment(version: "v1", replicas: 2)])
        _ = await stage.until { $0.revisions[0].endpoints.count == 2 }
        let before = stage.published.withLock { $0.count }

        try await stage.runner.apply([stage.deployment(version: "v2", replicas: 2)])
        let service = await stage.until { $0.revisions[0].name == "v2" }

        #expect(service.revisions[0].endpoints.count == 2)
        let since = stage.published.withLock { Array($0.dropFirst(before)) }
        #expect(since.allSatisfy { $0[0].revisions[0].endpoints.count == 2 })
        await stage.runner.stop()
    }

    @Test func `fewer replicas: out of the plan first, then gone`() async throws {
        let stage = Stage()
        try await stage.runner.apply([stage.deployment(version: "v1", replicas: 3)])
        _ = await stage.until { $0.revisions[0].endpoints.count == 3 }

        try await stage.runner.apply([stage.deployment(version: "v1", replicas: 1)])

        let service = await stage.until { $0.revisions[0].endpoints.count == 1 }
        #expect(service.revisions[0].endpoints[0].address.description.hasSuffix("iris-0.sock"))
        await stage.runner.stop()
    }

    @Test func `a deployment gone from the file keeps running`() async throws {
        let stage = Stage()
        try await stage.runner.apply([stage.deployment(version: "v1", replicas: 1)])
        _ = await stage.until { $0.revisions[0].endpoints.count == 1 }

        try await stage.runner.apply([])

        #expect(await stage.runner.snapshot().map(\.ready) == [1])
        await stage.runner.stop()
    }

    @Test func `what an earlier Penstock left is taken over if it is wanted just so`() async throws
    {
        let before = Stage()
        try await before.runner.apply([before.deployment(version: "v1", replicas: 3)])
        _ = await before.until { $0.revisions[0].endpoints.count == 3 }

        let after = Stage(before.runtime.successor())
        try await after.runner.apply([after.deployment(version: "v1", replicas: 2)])
        let service = await after.until { $0.revisions[0].endpoints.count == 2 }

        #expect(
            after.runtime.orders == [.adopt("iris-0"), .adopt("iris-1"), .discard("iris-2")])
        #expect(
            service.revisions[0].endpoints.map(\.address.description).sorted() == [
                "unix:/scripted/iris-0.sock", "unix:/scripted/iris-1.sock",
            ])
        await after.runner.stop()
    }

    @Test func `what an earlier Penstock left is ended if something else is wanted now`()
        async throws
    {
        let before = Stage()
        try await before.runner.apply([before.deployment(version: "v1", replicas: 1)])
        _ = await before.until { $0.revisions[0].endpoints.count == 1 }

        let after = Stage(before.runtime.successor())
        try await after.runner.apply([after.deployment(version: "v2", replicas: 1)])
        _ = await after.until { $0.revisions[0].endpoints.count == 1 }

        #expect(after.runtime.orders == [.discard("iris-0"), .start("iris-0")])
        await after.runner.stop()
    }

    @Test func `a command that cannot run is refused before anything runs`() async throws {
        let stage = Stage()
        var spec = stage.deployment(version: "v1", replicas: 1)
        spec.command = []

        await #expect(throws: DeploymentError.self) { try await stage.runner.apply([spec]) }
        #expect(await stage.runner.snapshot() == [])
    }
}

private struct Stage {
    let runner: DeploymentRunner
    let runtime: ScriptedRuntime
    let published: Published
    private let plans: AsyncStream<[ServicePlan]>

    init(_ runtime: ScriptedRuntime = ScriptedRuntime()) {
        let (plans, continuation) = AsyncStream.makeStream(of: [ServicePlan].self)
        let published = Published()
        self.plans = plans
        self.published = published
        self.runtime = runtime
        runner = DeploymentRunner(
            runtime: runtime,
            surroundings: .init(
                drain: .seconds(5), grace: .seconds(5), probe: { _, _ in true },
                publish: { services in
                    published.withLock { $0.append(services) }
                    continuation.yield(services)
                },
                inFlight: { _, _ in 0 }),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func deployment(version: String, replicas: Int) -> FleetSpec {
        FleetSpec(
            name: "iris", model: "iris", version: version,
            command: ["/bin/sh", "-c", "exec tail -f /dev/null", "{address}"], replicas: replicas,
            concurrency: 3,
            service: ServicePlan(name: "iris", routes: [RoutePlan(path: "/iris", strips: true)]))
    }

    func until(_ condition: (ServicePlan) -> Bool) async -> ServicePlan {
        for await services in plans {
            if let service = services.first, condition(service) { return service }
        }
        return ServicePlan(name: "the plans ended")
    }
}

/// Every list published, in order.
private final class Published: Sendable {
    private let lists = Mutex<[[ServicePlan]]>([])

    func withLock<Value>(_ body: (inout sending [[ServicePlan]]) -> sending Value) -> Value {
        lists.withLock(body)
    }
}
