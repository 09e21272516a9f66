// A body decoded in pieces is the body decoded whole: payload, trailers, refusal and what is left.
// What is forwarded with its framing decodes, strictly, to the same payload.

import Fixtures
import HTTPWire
import Testing

@Suite struct BodyDecoderSplitTests {
    static let corpus: [String] =
        BodyDecoderTests.chunked.map { $0.0 + "rest" } + BodyDecoderTests.refused.map(\.0) + [
            "5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\nrest",
            "3\r\nabc\r\n10;x=\"y\"\r\n0123456789abcdef\r\n",
        ]

    private func whole(_ bytes: [UInt8]) -> DecodedBody {
        BodyDrive.run(bytes, framing: .chunked, keepsFraming: false).body
    }

    @Test(arguments: corpus) func `no single cut changes anything`(text: String) {
        let bytes = Array(text.utf8)
        let expected = whole(bytes)
        for cut in 0...bytes.count { check(bytes, cuts: [cut], expected, "cut \(cut)") }
        check(bytes, cuts: Array(0..<bytes.count), expected, "byte by byte")
    }

    @Test func `no random message cut at random changes anything`() {
        for seed in UInt64(0)..<3_000 {
            var generator = SeededGenerator(seed: seed)
            let bytes = message(&generator)
            let cuts = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                Int.random(in: 0...bytes.count, using: &generator)
            }.sorted()
            check(bytes, cuts: cuts, whole(bytes), "seed \(seed)")
        }
    }

    private func check(
        _ bytes: [UInt8], cuts: [Int], _ expected: DecodedBody, _ comment: String
    ) {
        let text = String(decoding: bytes, as: UTF8.self).debugDescription
        let plain = BodyDrive.run(bytes, framing: .chunked, keepsFraming: false, cuts: cuts)
        #expect(plain.body == expected, "\(comment) of \(text)")
        let kept = BodyDrive.run(bytes, framing: .chunked, keepsFraming: true, cuts: cuts)
        #expect(kept.body.outcome == expected.outcome, "\(comment) of \(text)")
        #expect(kept.body.rest == expected.rest, "\(comment) of \(text)")
        #expect(kept.body.trailers == expected.trailers, "\(comment) of \(text)")
        #expect(kept.counted == expected.payload.count, "\(comment) of \(text)")
        guard expected.outcome == .complete else { return }
        let again = whole(kept.forwarded + Array("0\r\n\r\n".utf8))
        #expect(again.payload == expected.payload, "\(comment) of \(text)")
        #expect(again.outcome == .complete, "\(comment) of \(text)")
    }

    private func message(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            let size = Int.random(in: 1...40, using: &generator)
            let zeros = String(repeating: "0", count: Int.random(in: 0...2, using: &generator))
            let suffix = ["", "", "", ";a", ";a=b", " ;c=\"d e\""].randomElement(using: &generator)
            bytes += Array("\(zeros)\(String(size, radix: 16))\(suffix ?? "")\r\n".utf8)
            bytes += (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes += [0x0D, 0x0A]
        }
        let ends = ["0\r\n\r\n", "0\r\nA: b\r\n\r\n", "000;x\r\nA: b\r\nHost: c\r\n\r\nmore"]
        bytes += Array((ends.randomElement(using: &generator) ?? "").utf8)
        // Half of them are then damaged.
        guard Bool.random(using: &generator) else { return bytes }
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        let edges: [UInt8] = [0x0D, 0x0A, 0x3B, 0x30, 0x20, 0x00, 0x66, 0x22]
        bytes[position] = edges.randomElement(using: &generator) ?? 0
        return bytes
    }
}
