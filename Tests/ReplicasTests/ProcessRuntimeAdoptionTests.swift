// One runtime goes, the next one comes: what it finds, what it believes, and what it learns of runs
// that ended while nobody looked. That a killed gateway leaves its replicas is an end-to-end story.

import Foundation
import Glibc
import Replicas
import Testing

@Suite(.timeLimit(.minutes(2))) struct ProcessRuntimeAdoptionTests {
    private let scratch = Scratch()

    private func identifier(_ run: ReplicaRun) throws -> Int32 {
        try #require(run.identity?.process)
    }

    /// Starts a replica under a runtime that is gone when this returns.
    private func leave(
        _ spec: ReplicaSpec, gpus: GPUInventory = .none
    ) async throws -> ReplicaRun {
        let runtime = try scratch.runtime(gpus: gpus)
        let run = try await runtime.start(spec)
        try await runtime.line("up", of: spec.name)
        return run
    }

    @Test func `the next runtime finds a live replica, takes it over and ends it in order`()
        async throws
    {
        let before = try await leave(
            .shell(
                "trap 'echo bye; exit 5' TERM; echo up; while :; do tail -f /dev/null & wait; done")
        )
        let runtime = try scratch.runtime()
        let left = await runtime.leftovers()
        let found = try #require(left.first)
        #expect(left.count == 1)
        #expect(found.record.replica == "iris-0")
        #expect(found.record.nonce == before.record.nonce)
        await #expect(throws: ReplicaError.alreadyRunning("iris-0")) {
            try await runtime.start(.shell("true"))
        }

        let run = try await runtime.adopt(found)

        #expect(run.identity == before.identity)
        #expect(await runtime.leftovers() == [])
        await runtime.stop(run, grace: .seconds(30))
        #expect(await run.end().exit == .code(5))
        #expect(try await runtime.lines() == ["up", "bye"])
    }

    @Test func `an adopter learns the exit code of what it did not start`() async throws {
        _ = try await leave(
            .shell("echo up; until read line < \"$FIFO\"; do :; done; echo $line >&2; exit 9").with
            {
                $0.environment = ["FIFO": scratch.fifo]
            })
        let runtime = try scratch.runtime()
        let run = try await runtime.adopt(try #require(await runtime.leftovers().first))
        try scratch.go("last words")

        let end = await run.end()
        #expect(end.exit == .code(9))
        #expect(end.dossier?.lastError == ["last words"])
        #expect(await runtime.dossiers(of: "iris").count == 1)
    }

    @Test func `a run that ended while nobody looked is told with its code`() async throws {
        let before = try await leave(
            .shell("echo up; until read line < \"$FIFO\"; do :; done; exit 9").with {
                $0.environment = ["FIFO": scratch.fifo]
            })
        let shim = try parent(of: try identifier(before))
        try scratch.go()
        await gone(shim)

        let runtime = try scratch.runtime()
        let found = try #require(await runtime.leftovers().first)

        guard case .ended(let end) = found.state else {
            Issue.record("\(found.state)")
            return
        }
        #expect(end.exit == .code(9))
        #expect(!end.isRequested)
        await #expect(throws: ReplicaError.self) { try await runtime.adopt(found) }
        #expect(scratch.entries("replicas") == [])
        #expect(try await runtime.start(.shell("exit 0")).record.run == 2, "the name is free")
    }

    @Test func `what nobody wants is killed with all that descends from it`() async throws {
        let before = try await leave(.shell("trap '' TERM; tail -f /dev/null & echo up $!; wait"))
        let process = try identifier(before)
        let runtime = try scratch.runtime()
        let found = try #require(await runtime.leftovers().first)

        await runtime.discard(found)

        #expect(!isAlive(process))
        #expect(scratch.entries("replicas") == [])
        #expect(await runtime.leftovers() == [])
        #expect(await runtime.dossiers(of: "iris") == [], "it was asked for")
    }

    @Test func `a process that only has the number is left alone`() async throws {
        let before = try await leave(.shell("echo up; exec tail -f /dev/null"))
        let shim = try parent(of: try identifier(before))
        // This one: if it were ended, so would this test be.
        let number = ProcessInfo.processInfo.processIdentifier
        try forge(scratch.path + "/state/replicas/iris-0/status") { text in
            text.replacing(/shim \d+ \d+/, with: "shim \(number) 1")
        }

        let runtime = try scratch.runtime()

        #expect(await runtime.leftovers().map(\.isAlive) == [false])
        await gone(shim)
    }

    @Test func `a shim of another run than recorded is not taken over, but ended`() async throws {
        let before = try await leave(.shell("echo up; exec tail -f /dev/null"))
        let process = try identifier(before)
        let shim = try parent(of: process)
        let path = scratch.path + "/state/replicas/iris-0/run.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try text.replacing(before.record.nonce, with: "0000").write(
            toFile: path, atomically: true, encoding: .utf8)

        let runtime = try scratch.runtime()

        #expect(await runtime.leftovers().map(\.isAlive) == [false])
        await gone(shim)
        #expect(!isAlive(process))
    }

    @Test func `a shim whose folder somebody removed is ended`() async throws {
        let before = try await leave(.shell("echo up; exec tail -f /dev/null"))
        let process = try identifier(before)
        let shim = try parent(of: process)
        try FileManager.default.removeItem(atPath: scratch.path + "/state/replicas/iris-0")

        let runtime = try scratch.runtime()

        #expect(await runtime.leftovers() == [])
        await gone(shim)
        await gone(process)
    }

    @Test func `GPUs of what lives on are not given again`() async throws {
        let inventory = GPUInventory.declared(type: "T4", count: 2, memoryBytes: 1 << 34)
        let one = ReplicaSpec.shell("echo up; exec tail -f /dev/null").with {
            $0.resources.gpuCount = 1
        }
        let before = try await leave(one, gpus: inventory)
        #expect(before.record.gpus == ["0"])

        let runtime = try scratch.runtime(gpus: inventory)
        #expect(await runtime.capacity().freeGPUs.map(\.id) == ["1"])
        let second = try await runtime.start(
            .shell("echo up $CUDA_VISIBLE_DEVICES; exec tail -f /dev/null", name: "iris-1").with {
                $0.resources.gpuCount = 1
            })
        try await runtime.line("up 1", of: "iris-1")
        let third = ReplicaSpec.shell("true", name: "iris-2").with { $0.resources.gpuCount = 1 }
        await #expect(throws: ReplicaError.noCapacity("1 GPU: only 0 of 2 are free")) {
            try await runtime.start(third)
        }
        await runtime.discard(try #require(await runtime.leftovers().first))
        #expect(await runtime.capacity().freeGPUs.map(\.id) == ["0"])
        await runtime.kill(second)
        _ = await second.end()
    }

    @Test func `fifty live replicas are adopted`() async throws {
        try await leaveFifty()
        let runtime = try scratch.runtime(samplePeriod: .seconds(1))
        let left = await runtime.leftovers()
        #expect(left.count == 50)
        var runs: [ReplicaRun] = []
        for leftover in left { runs.append(try await runtime.adopt(leftover)) }
        for run in runs { await runtime.kill(run) }
        for run in runs { #expect(await run.end().isRequested) }
    }

    private func leaveFifty() async throws {
        let runtime = try scratch.runtime()
        try await withThrowingTaskGroup { group in
            for index in 0..<50 {
                group.addTask {
                    _ = try await runtime.start(
                        .shell("exec tail -f /dev/null", name: "iris-\(index)"))
                }
            }
            try await group.waitForAll()
        }
    }

    /// Writes a status that says something else, and is whole.
    private func forge(_ path: String, _ change: (String) -> String) throws {
        let bytes = Array(try #require(FileManager.default.contents(atPath: path)))
        let slots = [bytes[..<ShimStatus.slotBytes], bytes[ShimStatus.slotBytes...]]
        let forged = slots.flatMap { slot -> [UInt8] in
            let text = String(decoding: slot.prefix { $0 != 0 }, as: UTF8.self)
            let body = change(text.replacing(/sum .*\n/, with: ""))
            let sum = String(ShimStatus.checksum(Array(body.utf8)[...]), radix: 16)
            let whole = Array("\(body)sum \(sum)\n".utf8)
            return whole + [UInt8](repeating: 0, count: ShimStatus.slotBytes - whole.count)
        }
        try Data(forged).write(to: URL(filePath: path))
    }

    /// Waits for the end of a process. In these tests shims are children of the one process that
    /// plays both Penstocks; what neither of them reaps would stay for the tests after.
    private func gone(_ process: Int32) async {
        while isAlive(process) { await Task.yield() }
        _ = waitpid(process, nil, WNOHANG)
    }
}
