// The parsers against the plain reference: they accept the same heads, with the same meaning, and
// cut anywhere they only ever wait for more or refuse what the whole would refuse.

import Fixtures
import HTTPWire
import Testing

@Suite struct ReferenceParserTests {
    @Test(arguments: 0..<8) func `requests are read as the reference reads them`(block: Int) {
        var accepted = 0
        for seed in UInt64(block * 2_500)..<UInt64((block + 1) * 2_500) {
            var generator = SeededGenerator(seed: seed)
            let bytes = RandomHead.request(&generator)
            let expected = ReferenceParser.request(bytes)
            let parsed = Wire.request(bytes)
            if parsed.message != expected { Self.record(parsed.message, expected, bytes, seed) }
            if expected != nil { accepted += 1 }
        }
        #expect(accepted > 250)
    }

    @Test(arguments: 0..<8) func `responses are read as the reference reads them`(block: Int) {
        var accepted = 0
        for seed in UInt64(block * 2_500)..<UInt64((block + 1) * 2_500) {
            var generator = SeededGenerator(seed: seed)
            let bytes = RandomHead.response(&generator)
            let toHead = Bool.random(using: &generator)
            let expected = ReferenceParser.response(bytes, toHead: toHead)
            let parsed = Wire.response(bytes, to: toHead ? .head : .get)
            if parsed.message != expected { Self.record(parsed.message, expected, bytes, seed) }
            if expected != nil { accepted += 1 }
        }
        #expect(accepted > 250)
    }

    @Test func `a beginning is never read otherwise than the whole`() {
        for seed in UInt64(0)..<600 {
            var generator = SeededGenerator(seed: seed)
            let bytes = RandomHead.request(&generator)
            let whole = Wire.request(bytes)
            for count in 0..<bytes.count {
                let part = Wire.request(Array(bytes.prefix(count)))
                let isSame = part == whole || part == .incomplete
                #expect(isSame, "seed \(seed), \(count) bytes: \(part) but \(whole)")
            }
        }
    }

    @Test func `the scanner never waits where the parser has an answer`() {
        for seed in UInt64(0)..<600 {
            var generator = SeededGenerator(seed: seed)
            let bytes = RandomHead.request(&generator)
            guard Wire.request(bytes).message != nil else { continue }
            var scanner = HeadScanner()
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            let first = Array(bytes.prefix(cut))
            let part = unsafe first.span.bytes
            let span = unsafe bytes.span.bytes
            let verdicts = [scanner.scan(part, from: 0), scanner.scan(span, from: cut)]
            #expect(verdicts.contains(.parseNow), "seed \(seed)")
        }
    }

    /// Told only where they differ: most of forty thousand messages would never be read.
    private static func record<Message>(
        _ parsed: Message?, _ expected: Message?, _ bytes: [UInt8], _ seed: UInt64
    ) {
        let text = String(decoding: bytes, as: UTF8.self).debugDescription
        let (found, wanted) = (String(describing: parsed), String(describing: expected))
        Issue.record("seed \(seed): \(text) is \(found), not \(wanted)")
    }
}
