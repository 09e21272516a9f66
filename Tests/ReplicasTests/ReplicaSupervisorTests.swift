// Real, tiny processes: started, proved, ended with their children, found after a crash. Waiting
// is for the changes the supervisor tells of, never for time.

import Foundation
import Logging
import Replicas
import Testing

@Suite struct ReplicaSupervisorTests {
    private let state = FileManager.default.temporaryDirectory
        .appending(path: "penstock-\(UUID().uuidString.prefix(8))")

    @Test func `a replica is started with its places filled in, and proved before it is ready`()
        async throws
    {
        let replica = try Watched(
            shell: "echo \"$PENSTOCK_REPLICA $0 $GREETING\"; exec tail -f /dev/null", in: state)
        await replica.supervisor.start()

        let status = await replica.until(.ready)
        let socket = replica.supervisor.socket
        let log = try String(contentsOfFile: replica.log, encoding: .utf8)
        #expect(log == "iris-0 unix:\(socket) weights=/models/iris.json\n")
        #expect(status.address == "unix:\(socket)")

        await replica.supervisor.stop(grace: .seconds(5))
        #expect(await replica.supervisor.status().state == .exited)
        #expect(try FileManager.default.contentsOfDirectory(atPath: replica.run) == [])
    }

    @Test func `the whole group ends, also a child that ignores SIGTERM`() async throws {
        let replica = try Watched(
            shell: "trap '' TERM; (tail -f /dev/null & echo $!; wait); tail -f /dev/null",
            in: state)
        await replica.supervisor.start()
        _ = await replica.until(.ready)

        await replica.supervisor.stop(grace: .milliseconds(50))

        #expect(await replica.supervisor.status().process == nil)
    }

    @Test func `a replica that ends is told with its code and its last words`() async throws {
        let replica = try Watched(shell: "echo out of memory >&2; exit 7", in: state, proof: false)
        await replica.supervisor.start()

        let status = await replica.until(.failed)
        #expect(status.reason == "exited with code 7")
        #expect(status.lastLines == ["out of memory"])
        #expect(status.waitingFor.contains("the next start"))

        await replica.supervisor.stop(grace: .seconds(5))
    }

    @Test func `a program that is nowhere is a reason, not a crash`() async throws {
        let runtime = try ProcessRuntime(state: state, environment: ["PATH": "/nowhere"])
        let spec = ReplicaSpec(
            deployment: "iris", index: 0, model: "iris", version: "v1", command: ["no-such-model"])

        let error = #expect(throws: ReplicaError.self) { try runtime.check(spec) }
        #expect(error?.description.contains("'no-such-model' is not found") == true)
        #expect(error?.description.contains("/nowhere") == true)
    }

    @Test func `a state directory too deep for a socket is refused`() throws {
        let deep = state.appending(path: String(repeating: "a", count: 100))
        let runtime = try ProcessRuntime(state: deep)
        let spec = ReplicaSpec(
            deployment: "iris", index: 0, model: "iris", version: "v1", command: ["/bin/sh"])
        #expect(throws: ReplicaError.self) { try runtime.check(spec) }
    }

    @Test func `what a crash left running is ended, what only has its number is not`()
        async throws
    {
        let replica = try Watched(shell: "echo up; exec tail -f /dev/null", in: state)
        await replica.supervisor.start()
        let process = try #require(await replica.until(.ready).process)
        let record = replica.run + "/iris-0.json"
        let text = try String(contentsOfFile: record, encoding: .utf8)
        let successor = try ProcessRuntime(state: state)

        let ticks = /"startTicks":[0-9]+/
        try text.replacing(ticks, with: "\"startTicks\":1").write(
            toFile: record, atomically: true, encoding: .utf8)
        #expect(successor.endLeftovers() == [])
        #expect(await replica.supervisor.status().process == process)

        try text.write(toFile: record, atomically: true, encoding: .utf8)
        try Data().write(to: URL(filePath: replica.supervisor.socket))
        #expect(successor.endLeftovers() == ["iris-0"])
        #expect(!FileManager.default.fileExists(atPath: replica.supervisor.socket))
        #expect(await replica.until(.failed).reason == "killed by signal 9")
        await replica.supervisor.stop(grace: .seconds(5))
    }

    @Test func `a large log is kept once and emptied under its writer`() throws {
        let path = state.path(percentEncoded: false) + ".log"
        try String(repeating: "a line\n", count: 100).write(
            toFile: path, atomically: false, encoding: .utf8)
        let log = ReplicaLog(path: path, bytesMax: 500)
        #expect(log.lastLines().count == 40)

        log.rotateIfLarge()

        #expect(FileManager.default.contents(atPath: path) == Data())
        #expect(FileManager.default.contents(atPath: path + ".1")?.count == 700)
        #expect(log.lastLines() == [])
    }

    @Test func `secrets of penstock are not handed on`() {
        let spec = ReplicaSpec(
            deployment: "iris", index: 1, model: "m", version: "v2", command: [],
            artifact: "/a.json", environment: ["WEIGHTS": "{artifact}", "PATH": "/own"])

        let variables = spec.variables(
            inherited: [
                "PENSTOCK_TOKEN": "x", "NOTIFY_SOCKET": "/s", "PATH": "/bin", "HOME": "/h",
            ],
            socket: "/run/s")

        #expect(variables["PENSTOCK_TOKEN"] == nil)
        #expect(variables["NOTIFY_SOCKET"] == nil)
        #expect(variables["HOME"] == "/h")
        #expect(variables["PATH"] == "/own")
        #expect(variables["WEIGHTS"] == "/a.json")
        #expect(variables["PENSTOCK_ADDRESS"] == "unix:/run/s")
    }
}

/// One replica run by /bin/sh, and a way to wait for its states.
private struct Watched {
    let supervisor: ReplicaSupervisor
    let run: String
    let log: String
    private let changes: AsyncStream<Void>

    init(shell: String, in state: URL, proof: Bool = true) throws {
        let runtime = try ProcessRuntime(state: state)
        let (changes, continuation) = AsyncStream.makeStream(of: Void.self)
        self.changes = changes
        run = runtime.files.run.path(percentEncoded: false)
        log = runtime.files.log("iris-0")
        supervisor = ReplicaSupervisor(
            spec: ReplicaSpec(
                deployment: "iris", index: 0, model: "iris", version: "v1",
                command: ["/bin/sh", "-c", shell, "{address}"],
                artifact: "/dev/null", environment: ["GREETING": "weights=/models/iris.json"]),
            runtime: runtime, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            isReady: { [log = log] _ in
                proof && !ReplicaLog(path: log).lastLines().isEmpty
            }, changed: { continuation.yield() })
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
