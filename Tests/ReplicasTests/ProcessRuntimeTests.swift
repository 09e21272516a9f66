// Real, small processes under real shims: started, told, ended with all that descends from them,
// and what is known of them afterwards.

import Foundation
import Glibc
import Replicas
import Testing

@Suite(.timeLimit(.minutes(2))) struct ProcessRuntimeTests {
    private let scratch = Scratch()

    @Test func `a run is told from its start to its end, and leaves only its log`() async throws {
        let runtime = try scratch.runtime()
        let spec = ReplicaSpec.shell("echo \"$0 $PENSTOCK_REPLICA $A\"; exec tail -f /dev/null")
            .with { $0.environment = ["A": "{model}:{version}"] }

        let run = try await runtime.start(spec)
        let line = try await runtime.line("unix:")
        #expect(line.text == "\(run.record.address) iris-0 m:v1")
        #expect(line.stream == .out)
        #expect(abs(line.time.timeIntervalSinceNow) < 60)
        #expect(run.record.run == 1)
        let process = try #require(run.identity?.process)
        #expect(isAlive(process))

        await runtime.stop(run, grace: .seconds(10))
        let end = await run.end()
        #expect(end.exit == .signal(SIGTERM, dumped: false))
        #expect(end.isRequested)
        #expect(end.dossier == nil)
        var facts: [ReplicaFact] = []
        for await fact in run.facts { facts.append(fact) }
        #expect(facts.first == .spawned(try #require(run.identity)))
        #expect(facts.last == .exited(end))
        #expect(scratch.entries("replicas") == [])
        #expect(scratch.entries("run") == [])
        #expect(try await runtime.lines() == [line.text])
    }

    @Test func `a failure leaves a dossier with code, cause and last words, without secrets`()
        async throws
    {
        let runtime = try scratch.runtime()
        let spec = ReplicaSpec.shell(
            "echo loading; echo out of luck >&2; printf unfinished; exit 7"
        )
        .with {
            $0.command += ["--token", "hunter22"]
            $0.environment = ["KEY": "xyzzy-secret"]
            $0.secrets = ["KEY"]
            $0.command.append("--header=xyzzy-secret")
        }

        let end = await (try await runtime.start(spec)).end()

        #expect(end.exit == .code(7))
        #expect(!end.isRequested)
        #expect(end.cause == "exited with code 7")
        let dossier = try #require(end.dossier)
        #expect(dossier.lastOut == ["loading", "unfinished"])
        #expect(dossier.lastError == ["out of luck"])
        #expect(dossier.commandLine.suffix(3) == ["--token", "[redacted]", "--header=[redacted]"])
        #expect(dossier.residentBytesMax > 100_000)
        #expect(dossier.seconds >= 0)
        let kept = await runtime.dossiers(of: "iris")
        #expect(kept.map(\.cause) == ["exited with code 7"])
        #expect(kept.map(\.lastError) == [["out of luck"]])
    }

    @Test func `secrets are nowhere on disk`() async throws {
        let runtime = try scratch.runtime()
        let spec = ReplicaSpec.shell("echo up; exec tail -f /dev/null")
            .with { $0.environment = ["KEY": "xyzzy-secret"] }
        let run = try await runtime.start(spec)
        try await runtime.line("up")

        let files = try FileManager.default.subpathsOfDirectory(atPath: scratch.path)
        #expect(files.contains { $0.hasSuffix("run.json") })
        for file in files {
            let bytes = FileManager.default.contents(atPath: scratch.path + "/" + file) ?? Data()
            #expect(bytes.range(of: Data("xyzzy".utf8)) == nil, "\(file)")
        }
        await runtime.kill(run)
        _ = await run.end()
    }

    @Test func `a replica inherits nothing but its three descriptors and no signal state`()
        async throws
    {
        let runtime = try scratch.runtime()
        let run = try await runtime.start(
            .shell("ulimit -c; ls /proc/$$/fd; exec grep -E 'Sig(Blk|Ign)' /proc/self/status"))
        _ = await run.end()

        let text = try await runtime.lines().joined(separator: " ")
        #expect(text.hasPrefix("0 0 1 2 SigBlk"), "no core, and no other descriptor")
        #expect(text.contains(/SigBlk:\s0+\s/))
        // The C library ignores its own, 32 and 33, before it starts a program.
        #expect(text.contains(/SigIgn:\s0+([18]?80000000|100000000|0)$/))
    }

    @Test func `SIGTERM that is ignored is followed by SIGKILL after the grace`() async throws {
        let runtime = try scratch.runtime()
        let run = try await runtime.start(
            .shell("trap '' TERM; echo up; while true; do tail -f /dev/null; done"))
        try await runtime.line("up")

        let clock = ContinuousClock()
        let took = await clock.measure {
            await runtime.stop(run, grace: .milliseconds(300))
            _ = await run.end()
        }

        let end = await run.end()
        #expect(end.exit == .signal(SIGKILL, dumped: false))
        #expect(end.cause.hasSuffix("it had not ended within its grace after SIGTERM"))
        #expect(end.isRequested)
        #expect(took >= .milliseconds(300))
    }

    @Test func `all that descends from a replica ends with it, also what left its session`()
        async throws
    {
        let runtime = try scratch.runtime()
        let run = try await runtime.start(
            .shell(
                """
                setsid sh -c 'echo far $$; (tail -f /dev/null & echo farther $!); wait' &
                (trap '' TERM HUP; tail -f /dev/null) & echo near $!
                until read go < "$FIFO"; do :; done
                """
            ).with { $0.environment = ["FIFO": scratch.fifo] })
        var processes: [Int32] = []
        for word in ["far ", "farther ", "near "] {
            let line = try await runtime.line(word)
            processes.append(try #require(Int32(line.text.split(separator: " ")[1])))
        }
        try scratch.go()
        _ = await run.end()
        #expect(processes.map(isAlive) == [false, false, false])
    }

    @Test func `a program that cannot be run is named with the reason, and nothing stays`()
        async throws
    {
        let runtime = try scratch.runtime()
        try await scratch.program("garbage", "no program of any kind")
        let spec = ReplicaSpec.shell("").with { $0.command = [scratch.path + "/bin/garbage"] }

        let error = await #expect(throws: ReplicaError.self) { try await runtime.start(spec) }
        #expect(
            error == .startFailed(step: "run the program", reason: "Exec format error"))
        #expect(scratch.entries("replicas") == [])
        let run = try await runtime.start(.shell("exit 3"))
        #expect(await run.end().exit == .code(3))
    }

    @Test func `what can be known before a start is said before it`() throws {
        let runtime = try scratch.runtime(environment: ["PATH": "/nowhere"])
        let good = ReplicaSpec.shell("")
        func refusal(_ change: (inout ReplicaSpec) -> Void) -> String? {
            let error = #expect(throws: ReplicaError.self) {
                try runtime.check(good.with(change))
            }
            return error?.description
        }
        #expect(refusal { $0.command = ["no-such-model"] }?.contains("/nowhere") == true)
        #expect(refusal { $0.command = [] } == "the command is empty")
        #expect(refusal { $0.command = ["/etc/passwd"] }?.contains("not an executable") == true)
        #expect(refusal { $0.artifact = "/no/such" }?.contains("'/no/such'") == true)
        #expect(refusal { $0.workingDirectory = "/no/such" }?.contains("'/no/such'") == true)
        for name in ["", ".", "../x", "a/b", "a b", String(repeating: "x", count: 97)] {
            #expect(refusal { $0.name = name }?.contains("cannot name") == true)
        }
        try runtime.check(good)
    }

    @Test func `a state directory of any depth has sockets with short paths`() async throws {
        let deep = scratch.url.appending(path: String(repeating: "a/", count: 100))
        let runtime = try ProcessRuntime(
            state: deep,
            options: .init(environment: [:], shim: Scratch.shim, gpus: GPUInventory.none))
        defer { try? FileManager.default.removeItem(at: runtime.files.shortSockets) }
        #expect(runtime.files.socket("iris-0").utf8.count <= 107)
        let doors = runtime.files.shortSockets.path(percentEncoded: false)
        #expect(FileManager.default.fileExists(atPath: doors), "the gateway's own lie there, too")
        let run = try await runtime.start(.shell("exec tail -f /dev/null"))
        let attributes = try FileManager.default.attributesOfItem(
            atPath: runtime.files.shortSockets.path(percentEncoded: false))
        #expect(attributes[.posixPermissions] as? Int == 0o700)

        await runtime.stop(run, grace: .seconds(10))
        #expect(await run.end().isRequested)
        let other = runtime.files.shortSockets.appending(path: "iris-1.sock")
        try Data().write(to: other)
        runtime.files.removeShortSockets()
        #expect(FileManager.default.fileExists(atPath: doors), "somebody's socket is in it")
        try FileManager.default.removeItem(at: other)
        runtime.files.removeShortSockets()
        #expect(!FileManager.default.fileExists(atPath: doors))
    }

    @Test func `two live runs of one name there are never`() async throws {
        let runtime = try scratch.runtime()
        let run = try await runtime.start(.shell("exec tail -f /dev/null"))
        await #expect(throws: ReplicaError.alreadyRunning("iris-0")) {
            try await runtime.start(.shell("true"))
        }
        await runtime.kill(run)
        let end = await run.end()
        #expect(end.cause == "killed by SIGKILL, as asked")
        let again = try await runtime.start(.shell("exit 0"))
        #expect(again.record.run == 2)
        #expect(await again.end().cause.contains("meant to run"))
    }

    @Test func `who wants a port gets one of its own, told in all places`() async throws {
        let runtime = try scratch.runtime()
        var runs: [ReplicaRun] = []
        for index in 0..<3 {
            let spec = ReplicaSpec.shell("", name: "iris-\(index)").with {
                $0.command = [
                    "/bin/sh", "-c",
                    "echo $1 $PENSTOCK_PORT $PENSTOCK_ADDRESS; exec tail -f /dev/null",
                    "sh", "{host}:{port}",
                ]
            }
            runs.append(try await runtime.start(spec))
        }
        let addresses = runs.map(\.record.address.description)
        #expect(Set(addresses).count == 3)
        for (index, address) in addresses.enumerated() {
            let port = try #require(address.split(separator: ":").last)
            try await runtime.line("\(address) \(port) \(address)", of: "iris-\(index)")
        }
        for run in runs { await runtime.kill(run) }
        for run in runs { _ = await run.end() }
    }

    @Test func `what a replica uses is told while it runs`() async throws {
        let runtime = try scratch.runtime()
        // Some 50 ms of work for each sample that has seen none: a loop without an end would take
        // a core from the other tests.
        let script = """
            while :; do
              until read go < "$FIFO"; do :; done
              i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done
            done
            """
        let run = try await runtime.start(
            .shell(script).with { $0.environment = ["FIFO": scratch.fifo] })
        for await fact in run.facts {
            guard case .usage(let sample) = fact else { continue }
            #expect(sample.memoryBytes > 100_000)
            #expect(sample.processes == 1)
            if sample.cores > 0.01 { break }
            try scratch.go()
        }
        await runtime.kill(run)
        _ = await run.end()
    }

    @Test func `a shim that is killed takes its replica with it, and that is told`() async throws {
        let runtime = try scratch.runtime()
        let run = try await runtime.start(
            .shell("(trap '' HUP; tail -f /dev/null) & echo left $!; exec tail -f /dev/null"))
        let line = try await runtime.line("left")
        let left = try #require(Int32(line.text.split(separator: " ")[1]))
        let process = try #require(run.identity?.process)
        kill(try parent(of: process), SIGKILL)

        let end = await run.end()

        #expect(end.cause.contains("its shim"))
        #expect(!end.isRequested)
        #expect(end.dossier != nil)
        #expect(!isAlive(process))
        #expect(!isAlive(left), "swept")
        #expect(scratch.entries("replicas") == [])
    }

    @Test func `a killed shim's replica ends whole, also what left its session`() async throws {
        // A control group would see to it by itself.
        let runtime = try scratch.runtime(controlGroups: .off)
        let run = try await runtime.start(
            .shell(
                """
                setsid sh -c 'trap "" TERM HUP; echo far $$
                    setsid tail -f /dev/null & echo farther $!
                    env -i setsid sh -c "echo bare \\$\\$; exec tail -f /dev/null" & wait' &
                exec tail -f /dev/null
                """))
        var processes = [try #require(run.identity?.process)]
        for word in ["far ", "farther ", "bare "] {
            let line = try await runtime.line(word)
            processes.append(try #require(Int32(line.text.split(separator: " ")[1])))
        }
        kill(try parent(of: processes[0]), SIGKILL)
        _ = await run.end()
        #expect(processes.map(isAlive) == [false, false, false, false])
    }

    @Test func `the next runtime ends what a killed shim has left`() async throws {
        let first = try scratch.runtime(controlGroups: .off)
        let run = try await first.start(
            .shell("setsid sh -c 'echo far $$; exec tail -f /dev/null' & exec tail -f /dev/null"))
        let line = try await first.line("far ")
        let far = try #require(Int32(line.text.split(separator: " ")[1]))
        first.letGo()
        let shim = try parent(of: try #require(run.identity?.process))
        kill(shim, SIGKILL)
        while isAlive(shim) { await Task.yield() }
        let next = try scratch.runtime(controlGroups: .off)
        #expect(!isAlive(far))
        withExtendedLifetime(next) {}
    }

    @Test func `a shim that cannot be started is a reason`() async throws {
        let runtime = try scratch.runtime(
            shim: ShimProgram(path: "/bin/false", arguments: ["false"]))
        await #expect(
            throws: ReplicaError.startFailed(step: "start the shim", reason: "it ended at once")
        ) {
            try await runtime.start(.shell("true"))
        }
        #expect(scratch.entries("replicas") == [])
    }

    @Test func `fifty replicas start and stop at once`() async throws {
        let runtime = try scratch.runtime(samplePeriod: .seconds(1))
        let runs = try await withThrowingTaskGroup { group in
            for index in 0..<50 {
                group.addTask {
                    try await runtime.start(
                        .shell("exec tail -f /dev/null", name: "iris-\(index)"))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(runs.compactMap { $0.identity?.process }).count == 50)
        for run in runs { await runtime.stop(run, grace: .seconds(30)) }
        for run in runs { #expect(await run.end().exit == .signal(SIGTERM, dumped: false)) }
        #expect(scratch.entries("replicas") == [])
    }
}
