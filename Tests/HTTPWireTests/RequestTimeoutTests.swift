// How long a client will wait, in every spelling, and what is none.

import Testing

@testable import HTTPWire

struct RequestTimeoutTests {
    private func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return unsafe RequestTimeout.parse(
            bytes.span.bytes, Slice(from: 0, to: bytes.count))
    }

    @Test(arguments: [
        ("250ms", 250_000_000), ("5s", 5_000_000_000), ("5", 5_000_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000), ("1.5s", 1_500_000_000), ("0.25", 250_000_000), ("7us", 7_000),
        ("9ns", 9), ("0s", 0), ("1.5ms", 1_500_000), ("1.5m", 90_000_000_000),
    ])
    func `durations are read in every unit`(text: String, nanoseconds: Int64) {
        #expect(parse(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "s", ".5s", "5 s", "-1s", "1d", "5sec", "1.s", "0x5", "9999999999s", "5ss",
    ])
    func `what is no duration is none`(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func `what is left is told in milliseconds, and never as nothing`() {
        var head = HeadBuffer(capacity: 64)
        RequestTimeout.append(1_234_999_999, to: &head)
        head.append(" ")
        RequestTimeout.append(5, to: &head)
        let text = unsafe head.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
        #expect(text == "1234ms 1ms")
    }
}
