// What a shim writes and is told, byte by byte: torn slots,
// foreign bytes, both kinds of exit.

import Fixtures
import Foundation
import Replicas
import Testing

@Suite struct ShimStatusTests {
    private static let text = """
        penstock-replica 1
        sequence 4
        nonce abc
        boot b-1
        state exited
        shim 100 2000
        child 101 2001
        started 1769860000123
        ended 1769860001000
        requested stop
        resident_kib 1632
        cpu_milliseconds 1500
        dropped_lines 3
        unkillable 0
        exit code 7

        """

    private static func slot(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        let sum = String(ShimStatus.checksum(bytes[...]), radix: 16)
        let padded = String(repeating: "0", count: 16 - sum.count) + sum
        let whole = bytes + Array("sum \(padded)\n".utf8)
        return whole + [UInt8](repeating: 0, count: ShimStatus.slotBytes - whole.count)
    }

    @Test func `everything a shim says is read`() throws {
        let status = try #require(ShimStatus(file: Self.slot(Self.text)))
        #expect(status.nonce == "abc")
        #expect(status.state == .exited)
        #expect(status.shim == ProcessIdentity(process: 100, startTicks: 2000, boot: "b-1"))
        #expect(status.child == ProcessIdentity(process: 101, startTicks: 2001, boot: "b-1"))
        #expect(status.started == Date(timeIntervalSince1970: 1_769_860_000.123))
        #expect(status.request == .stop)
        #expect(status.residentBytesMax == 1632 * 1024)
        #expect(status.cpuSeconds == 1.5)
        #expect(status.lostLines == 3)
        #expect(status.exit == .code(7))
    }

    @Test(arguments: [
        ("exit signal 9 -", ReplicaExit.signal(9, dumped: false)),
        ("exit signal 11 dumped", .signal(11, dumped: true)), ("exit code 0", .code(0)),
    ])
    func `exits are read`(line: String, exit: ReplicaExit) {
        let text = Self.text.replacing("exit code 7", with: line)
        #expect(ShimStatus(file: Self.slot(text))?.exit == exit)
    }

    @Test func `a failure to start names its step`() {
        let text = Self.text.replacing("exit code 7", with: "failed 2 run the program")
        let status = ShimStatus(file: Self.slot(text))
        #expect(status?.failure == .init(step: "run the program", error: 2))
        #expect(status?.exit == nil)
    }

    @Test func `the newer of two slots counts, a torn one does not`() {
        let old = Self.slot(Self.text)
        let next = Self.text.replacing("sequence 4", with: "sequence 5")
            .replacing("exit code 7", with: "exit code 8")
        var new = Self.slot(next)
        #expect(ShimStatus(file: old + new)?.exit == .code(8))
        #expect(ShimStatus(file: new + old)?.exit == .code(8))
        new[40] ^= 1
        #expect(ShimStatus(file: new + old)?.exit == .code(7))
    }

    @Test func `bytes that are not a shim's are no status, whatever they are`() {
        #expect(ShimStatus(file: []) == nil)
        #expect(ShimStatus(file: Array("hello".utf8)) == nil)
        #expect(ShimStatus(file: Self.slot("penstock-replica 2\nstate running\n")) == nil)
        var random = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            var slot = Self.slot(Self.text)
            slot[Int(random.next() % 330)] = UInt8(truncatingIfNeeded: random.next())
            let cut = Int(random.next() % UInt64(slot.count))
            // Whatever comes of it: no trap, and never another exit.
            let exit = ShimStatus(file: Array(slot[..<cut]))?.exit
            #expect(exit == nil || exit == .code(7), "seed 11")
        }
    }

    @Test func `an order is entries ended by NUL, and a NUL inside is refused`() throws {
        var order = ShimOrder(
            folder: "/f", nonce: "n", boot: "b", logs: "/l", run: 3,
            bounds: LogBounds(segmentBytes: 10, segments: 2, runs: 1), graceMilliseconds: 5,
            program: "/bin/sh", arguments: ["sh", "-c", "a=b"], variables: ["B": "2", "A": "1=1"],
            groups: ["/g"])
        let bytes = try #require(order.bytes)
        let entries = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
        #expect(entries.contains("argument=a=b"))
        #expect(entries.filter { $0.hasPrefix("variable") } == ["variable=A=1=1", "variable=B=2"])
        #expect(entries.contains("limit=4:0"))
        #expect(!entries.contains { $0.hasPrefix("directory") })
        #expect(bytes.last == 0)
        order.arguments.append("a\0b")
        #expect(order.bytes == nil)
    }
}

@Suite struct ReplicaEndTests {
    @Test func `the cause of an end is a sentence`() {
        func cause(_ exit: ReplicaExit, _ change: (inout EndCircumstances) -> Void = { _ in })
            -> String
        {
            var circumstances = EndCircumstances(exit: exit, memoryLimitBytes: 512 << 20)
            change(&circumstances)
            return circumstances.cause
        }
        let killed = ReplicaExit.signal(9, dumped: false)
        #expect(cause(.code(7)) == "exited with code 7")
        #expect(cause(.code(0)).hasSuffix("a replica is meant to run until it is stopped"))
        #expect(cause(.signal(11, dumped: true)) == "killed by SIGSEGV, core dumped")
        #expect(
            cause(killed) { $0.isOutOfMemory = true }
                == "killed by SIGKILL; the memory limit of 512 MiB was reached")
        #expect(
            cause(killed) { $0.watchedBytes = 600 << 20 }.hasSuffix("with 600 MiB resident"))
        #expect(cause(killed).contains("out-of-memory killer"))
        #expect(
            cause(killed) { $0.request = .stop }.hasSuffix("within its grace after SIGTERM"))
        #expect(cause(killed) { $0.request = .kill } == "killed by SIGKILL, as asked")
        #expect(
            cause(killed) { ($0.isOutOfMemory, $0.memoryLimitBytes) = (true, nil) }
                .hasSuffix("the machine ran out of memory"))
    }
}
