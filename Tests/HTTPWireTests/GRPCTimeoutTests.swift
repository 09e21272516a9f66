// `grpc-timeout` read and written: exact where the grammar is, never shorter than was meant.

import Fixtures
import HTTPWire
import Testing

@Suite struct GRPCTimeoutTests {
    private func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return GRPCTimeout.parse(unsafe bytes.span.bytes, Slice(from: 0, to: bytes.count))
    }

    private func text(_ nanoseconds: Int64) -> String {
        var head = HeadBuffer(capacity: 64)
        GRPCTimeout.append(nanoseconds, to: &head)
        return unsafe head.withBytes { String(decoding: unsafe Array($0), as: UTF8.self) }
    }

    @Test(arguments: [
        ("1n", 1), ("100u", 100_000), ("250m", 250_000_000), ("5S", 5_000_000_000),
        ("2M", 120_000_000_000), ("1H", 3_600_000_000_000), ("0S", 0),
        ("99999999S", 99_999_999_000_000_000), ("00000001S", 1_000_000_000),
        ("99999999H", Int64.max),
    ])
    func `digits and a unit are a timeout`(_ text: String, _ nanoseconds: Int64) {
        #expect(parse(text) == nanoseconds)
    }

    @Test(arguments: ["", "S", "5", "5s", "5 S", "-5S", "+5S", "1.5S", "123456789S", "5SS", "0x5S"])
    func `anything else is none`(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [
        (Int64(1), "1n"), (99_999_999, "99999999n"), (100_000_000, "100000u"),
        (100_000_001, "100001u"), (5_000_000_000, "5000000u"), (0, "1n"), (-5, "1n"),
        (600_000_000_000, "600000m"), (Int64.max, "2562048H"),
    ])
    func `what is left is said in eight digits at most`(_ nanoseconds: Int64, _ expected: String) {
        #expect(text(nanoseconds) == expected)
    }

    @Test func `what is written reads as no less, and hardly more`() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<10_000 {
            let bits = Int64.random(in: 0..<62, using: &random)
            let meant = Int64.random(in: 1...(Int64(1) << bits), using: &random)
            let read = parse(text(meant)) ?? 0
            #expect(read >= meant)
            #expect(Double(read - meant) <= Double(meant) * 0.001 + 1, "\(meant) \(read)")
        }
    }
}
