// One replica kept alive over a scripted runtime: started, proved, ended, started again, taken
// over. Waiting is for the changes the supervisor tells of, never for time.

import Logging
import Replicas
import Testing

@Suite(.timeLimit(.minutes(2))) struct ReplicaSupervisorTests {
    @Test func `a replica is proved before it is ready, and stopped in the end`() async throws {
        let replica = Watched(ScriptedRuntime())
        await replica.supervisor.start()
        let status = await replica.until(.ready)
        #expect(status.address == .unix(path: "/scripted/iris-0.sock"))
        #expect(status.run == 1)
        #expect(status.process != nil)

        await replica.supervisor.stop(grace: .seconds(5))
        #expect(await replica.supervisor.status().state == .exited)
        #expect(
            replica.runtime.orders == [.start("iris-0"), .stop("iris-0", grace: .seconds(5))])
    }

    @Test func `a replica that ends is told with its cause, and started again`() async throws {
        let runtime = ScriptedRuntime { _, run in run == 1 ? .ends(.code(7)) : .runs }
        let replica = Watched(runtime)
        await replica.supervisor.start()
        let status = await replica.until(.failed)
        #expect(status.reason == "exited with code 7")
        #expect(status.waitingFor.contains("the next start"))

        #expect(await replica.until(.ready).restarts == 1)
        await replica.supervisor.stop(grace: .seconds(5))
    }

    @Test func `a replica that cannot be started is a reason, and stopping is over at once`()
        async throws
    {
        let replica = Watched(ScriptedRuntime { _, _ in .failsToStart("Exec format error") })
        await replica.supervisor.start()
        #expect(
            await replica.until(.failed).reason == "could not run the program: Exec format error")
        await replica.supervisor.stop(grace: .seconds(5))
        #expect(await replica.supervisor.status().state == .exited)
    }

    @Test func `what an earlier Penstock left is taken over without a start`() async throws {
        let before = Watched(ScriptedRuntime())
        await before.supervisor.start()
        _ = await before.until(.ready)
        let next = before.runtime.successor()
        let replica = Watched(next)
        await replica.supervisor.adopt(try #require(await next.leftovers().first))

        #expect(await replica.until(.ready).run == 1)
        #expect(next.orders == [.adopt("iris-0")])
    }

    @Test func `what cannot be taken over is ended and started anew`() async throws {
        let before = Watched(ScriptedRuntime())
        await before.supervisor.start()
        _ = await before.until(.ready)
        let left = try #require(await before.runtime.successor().leftovers().first)
        let replica = Watched(ScriptedRuntime())
        await replica.supervisor.adopt(left)
        _ = await replica.until(.ready)
        #expect(
            replica.runtime.orders == [.adopt("iris-0"), .discard("iris-0"), .start("iris-0")])
    }

    @Test func `one that ignores SIGTERM is stopped at once when asked without grace`() async {
        let replica = Watched(ScriptedRuntime { _, _ in .ignoresStop })
        await replica.supervisor.start()
        _ = await replica.until(.ready)
        async let first: Void = replica.supervisor.stop(grace: .seconds(600))
        _ = await replica.until(.stopping)
        await replica.supervisor.stop(grace: .zero)
        await first
        #expect(replica.runtime.live == [])
    }

    @Test func `a scripted runtime keeps the promises of a real one`() async throws {
        let runtime = ScriptedRuntime(
            capacity: RuntimeCapacity(
                cores: 4, memoryBytes: 1 << 30,
                gpus: [GPUDevice(id: "0", type: "T4", memoryBytes: 1)]))
        let spec = ReplicaSpec.shell("").with { $0.resources.gpuCount = 1 }
        let run = try await runtime.start(spec)
        #expect(run.record.gpus == ["0"])
        await #expect(throws: ReplicaError.alreadyRunning("iris-0")) {
            try await runtime.start(spec)
        }
        let next = runtime.successor()
        #expect(await next.capacity().freeGPUs == [])
        await #expect(throws: ReplicaError.self) {
            try await next.start(spec.with { $0.name = "iris-1" })
        }
        let left = try #require(await next.leftovers().first)
        let adopted = try await next.adopt(left)
        next.end("iris-0", .code(3))
        #expect(await adopted.end().cause == "exited with code 3")
        #expect(await next.capacity().freeGPUs.count == 1)
        #expect(try await next.start(spec).record.run == 2)
    }
}

/// One supervised replica, and a way to wait for its states.
private struct Watched {
    let runtime: ScriptedRuntime
    let supervisor: ReplicaSupervisor
    private let changes: AsyncStream<Void>

    init(_ runtime: ScriptedRuntime) {
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        self.changes = changes
        self.runtime = runtime
        supervisor = ReplicaSupervisor(
            spec: .shell("true"), runtime: runtime,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            isReady: { _ in true }, changed: { continuation.yield() })
    }

    func until(_ state: ReplicaState) async -> ReplicaStatus {
        var iterator = changes.makeAsyncIterator()
        while true {
            let status = await supervisor.status()
            if status.state == state { return status }
            await iterator.next()
        }
    }
}
