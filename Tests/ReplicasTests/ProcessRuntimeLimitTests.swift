// Limits on real processes. Where this machine holds one, the test sees it held; where it does not,
// the test sees that it is told so, with a reason.

import Foundation
import Glibc
import Replicas
import Testing

@Suite(.timeLimit(.minutes(2))) struct ProcessRuntimeLimitTests {
    private let scratch = Scratch()

    /// What the kernel holds here; nil after checking that the reason is told.
    private func isHeld(_ kind: ResourceKind, _ run: ReplicaRun) throws -> Bool {
        let enforcement = try #require(run.record.enforcement[kind])
        if case .advisory(let reason) = enforcement {
            #expect(!reason.isEmpty)
            return false
        }
        return true
    }

    @Test func `a fork bomb stays within its processes, or the limit is told as advisory`()
        async throws
    {
        let runtime = try scratch.runtime()
        let script = """
            (i=0; while [ $i -lt 60 ]; do tail -f /dev/null & i=$((i + 1)); done) 2> /dev/null
            echo started; exec tail -f /dev/null
            """
        let run = try await runtime.start(.shell(script).with { $0.resources.processes = 20 })
        if try isHeld(.processes, run) {
            // The shell that may not fork any more says so and ends.
            for await fact in run.facts {
                guard case .usage(let sample) = fact else { continue }
                #expect(sample.processes <= 20)
                if sample.processes >= 15 { break }
            }
        } else {
            try await runtime.line("started")
        }
        await runtime.kill(run)
        #expect(await run.end().isRequested)
        #expect(groups() == [], "none left behind")
    }

    @Test func `a busy replica gets its share of a core, or the limit is told as advisory`()
        async throws
    {
        let runtime = try scratch.runtime(samplePeriod: .milliseconds(500))
        let run = try await runtime.start(
            .shell("(while :; do :; done) & while :; do :; done").with { $0.resources.cpu = 0.4 })
        var samples: [Double] = []
        if try isHeld(.cpu, run) {
            for await fact in run.facts {
                guard case .usage(let sample) = fact else { continue }
                samples.append(sample.cores)
                if samples.count == 3 { break }
            }
        }
        await runtime.kill(run)
        _ = await run.end()
        // One period of 100 ms may fall into the window twice.
        #expect(samples.dropFirst().allSatisfy { $0 < 0.7 }, "\(samples)")
        #expect(groups() == [])
    }

    @Test func `a replica that takes more memory than it may is ended, and the cause says so`()
        async throws
    {
        let runtime = try scratch.runtime()
        let script = """
            x=0123456789abcdef; i=0
            while [ $i -lt 14 ]; do x=$x$x; i=$((i + 1)); done
            a=$x$x$x$x; b=$a$a$a$a; c=$b$b$b$b; d=$c$c; echo ${#d}; tail -f /dev/null & wait
            """
        let run = try await runtime.start(
            .shell(script).with { $0.resources.memoryBytes = 16 << 20 })
        let end = await run.end()
        #expect(end.exit == .signal(SIGKILL, dumped: false))
        #expect(end.cause.contains("the memory limit of 16 MiB was reached"), "\(end.cause)")
        #expect(!end.isRequested)
        #expect(end.dossier?.cause == end.cause)
        #expect(groups() == [])
    }

    @Test func `control groups that a crash left are removed`() async throws {
        try await leave()
        let runtime = try scratch.runtime()
        // As if the record had been lost with the disk.
        let left = try #require(await runtime.leftovers().first)
        await runtime.discard(left)
        #expect(groups() == [])
    }

    private func leave() async throws {
        let runtime = try scratch.runtime()
        _ = try await runtime.start(.shell("echo up; exec tail -f /dev/null"))
        try await runtime.line("up")
    }

    @Test func `limits are written into a tree that was given to us`() async throws {
        // A folder stands for a version 2 tree: what is written can be read, nothing holds it.
        let tree = scratch.path + "/tree"
        try FileManager.default.createDirectory(
            atPath: tree, withIntermediateDirectories: true)
        for (file, text) in [
            ("cgroup.procs", ""), ("cgroup.controllers", "cpu memory pids"),
            ("cgroup.subtree_control", "cpu memory pids"),
        ] {
            try text.write(toFile: tree + "/" + file, atomically: false, encoding: .utf8)
        }
        let runtime = try scratch.runtime(controlGroups: .under(tree))
        let all = runtime.enforcement(of: ReplicaResources(cpu: 1, memoryBytes: 1))
        #expect(all[.cpu] == .enforced(by: .controlGroupV2))
        #expect(all[.memory] == .enforced(by: .controlGroupV2))
        // The kernel would make these files with the group; here the start fails for want of them.
        await #expect(throws: ReplicaError.self) {
            try await runtime.start(.shell("true").with { $0.resources.cpu = 0.5 })
        }
        let made = try FileManager.default.contentsOfDirectory(atPath: tree)
        #expect(!made.contains { $0.hasPrefix("penstock-") }, "nothing half made stays")
    }

    /// Control groups of replicas of this test, wherever this machine has them.
    private func groups() -> [String] {
        let tag = (try? ReplicaFiles(state: scratch.url.appending(path: "state")))?.tag ?? "none"
        let root = "/sys/fs/cgroup"
        let tops = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return ([root] + tops.map { "\(root)/\($0)" }).flatMap { directory in
            ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
                .filter { $0.hasPrefix("penstock-\(tag)-") }
        }
    }
}
