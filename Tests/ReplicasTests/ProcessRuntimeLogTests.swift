// Output through a real shim: rotation, long lines, following, earlier runs, and a disk that takes
// no more.

import Foundation
import Replicas
import Testing

@Suite(.timeLimit(.minutes(2))) struct ProcessRuntimeLogTests {
    private let scratch = Scratch()

    private func small(_ script: String) -> ReplicaSpec {
        ReplicaSpec.shell(script).with {
            $0.log = LogBounds(segmentBytes: 20_000, segments: 3, runs: 2)
        }
    }

    private var segments: [String] { scratch.entries("logs/iris/iris-0").sorted() }

    @Test func `output is rotated, bounded, and offsets stay true`() async throws {
        let runtime = try scratch.runtime()
        let script = """
            i=0
            while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done
            """
        _ = await (try await runtime.start(small(script))).end()

        #expect(segments.count == 3)
        let page = try await runtime.logs(LogQuery(deployment: "iris", replica: "iris-0"))
        #expect(page.lines.last?.text == "line 2999")
        #expect(page.first > 0)
        #expect(page.end > 100_000)
        #expect(page.end - page.first <= 3 * 20_000)
        let numbers = page.lines.compactMap { Int($0.text.dropFirst(5)) }
        #expect(numbers == Array((numbers.first ?? 0)...2999), "no gap")
    }

    @Test func `a follower sees every line across rotation, until the end`() async throws {
        let runtime = try scratch.runtime()
        // Slow enough that rotation does not overtake the follower: it waits for each answer, half
        // a segment at a time.
        let script = """
            i=0
            while [ $i -lt 8 ]; do
              j=0
              while [ $j -lt 250 ]; do echo $i.$j some forty characters more; j=$((j + 1)); done
              until read go < "$FIFO"; do :; done; i=$((i + 1))
            done
            """
        let run = try await runtime.start(
            small(script).with { $0.environment = ["FIFO": scratch.fifo] })
        var seen = 0
        for try await line in runtime.follow(LogQuery(deployment: "iris", replica: "iris-0")) {
            #expect(line.text.hasPrefix("\(seen / 250).\(seen % 250) "))
            seen += 1
            if seen % 250 == 0 {
                try scratch.go()
            }
        }
        #expect(seen == 2000)
        #expect(segments.count == 3)
        #expect(run.hasEnded)
    }

    @Test func `a line too long for one is told in parts, one without an end is told, too`()
        async throws
    {
        let runtime = try scratch.runtime()
        let script = "head -c 40000 /dev/zero | tr '\\0' x; echo; printf 'no end'"
        _ = await (try await runtime.start(.shell(script))).end()

        let page = try await runtime.logs(LogQuery(deployment: "iris", replica: "iris-0"))
        #expect(page.lines.map(\.text.count) == [16_384, 16_384, 7232, 6])
        #expect(page.lines.map(\.isPartial) == [true, true, false, false])
    }

    @Test func `earlier runs can be read, and only so many are kept`() async throws {
        let runtime = try scratch.runtime()
        for number in 1...4 {
            _ = await (try await runtime.start(small("echo run \(number)"))).end()
        }
        #expect(try await runtime.lines() == ["run 4"])
        #expect(try await runtime.lines(run: .previous) == ["run 3"])
        #expect(try await runtime.lines(run: .number(3)) == ["run 3"])
        await #expect(throws: ReplicaError.self) {
            try await runtime.lines(run: .number(1))
        }
    }

    @Test
    func `output goes on and is rotated while no Penstock runs and after the next takes over`()
        async throws
    {
        let script = """
            burst() { i=0; while [ $i -lt 1500 ]; do echo $1 $i; i=$((i + 1)); done; }
            echo up; until read go < "$FIFO"; do :; done; burst alone; echo done > "$FIFO"
            until read go < "$FIFO"; do :; done; burst adopted
            """
        try await leave(small(script).with { $0.environment = ["FIFO": scratch.fifo] })
        try scratch.go()
        try scratch.wait()

        let runtime = try scratch.runtime()
        let run = try await runtime.adopt(try #require(await runtime.leftovers().first))
        try await runtime.line("alone 1499")
        try scratch.go()
        #expect(await run.end().exit == .code(0))
        #expect(try await runtime.lines().last == "adopted 1499")
        #expect(segments.count == 3)
    }

    private func leave(_ spec: ReplicaSpec) async throws {
        let runtime = try scratch.runtime()
        _ = try await runtime.start(spec)
        try await runtime.line("up")
    }

    @Test func `a disk that takes no more loses lines, counts them, and the replica lives`()
        async throws
    {
        // A file may grow to 8 blocks of 512 bytes: as full a disk as an ordinary user can make.
        let shim = Scratch.shim
        let limited = ShimProgram(
            path: "/bin/sh",
            arguments: ["sh", "-c", "ulimit -f 8; exec \(shim.path) shim \"$@\"", "sh"])
        let runtime = try scratch.runtime(shim: limited)
        let script = """
            i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i + 1)); done
            echo alive >&2; exit 4
            """
        let end = await (try await runtime.start(small(script))).end()

        #expect(end.exit == .code(4), "not SIGPIPE, not SIGXFSZ, not blocked")
        #expect((end.dossier?.lostLines ?? 0) > 0)
    }

    @Test func `output that was lost is told once there is room again`() async throws {
        let shim = Scratch.shim
        let limited = ShimProgram(
            path: "/bin/sh",
            arguments: ["sh", "-c", "ulimit -f 8; exec \(shim.path) shim \"$@\"", "sh"])
        let runtime = try scratch.runtime(shim: limited)
        // One line that no file can take, then one that fits.
        let script = """
            head -c 6000 /dev/zero | tr '\\0' x; echo
            until read go < "$FIFO"; do :; done; echo short
            """
        let run = try await runtime.start(
            .shell(script).with { $0.environment = ["FIFO": scratch.fifo] })
        try scratch.go()
        _ = await run.end()

        let page = try await runtime.logs(LogQuery(deployment: "iris", replica: "iris-0"))
        #expect(page.lines.map(\.stream) == [.penstock, .out])
        #expect(page.lines.first?.text == "1 lines of output were lost: File too large")
        #expect(page.lines.last?.text == "short")
    }
}
