// Searches over whole words agree with looking at one byte after the other.

import Fixtures
import HTTPWire
import Testing

@Suite struct RawSpanTests {
    @Test(arguments: 0..<40) func `a byte is found wherever it is`(position: Int) {
        var bytes = [UInt8](repeating: 0x61, count: 40)
        bytes[position] = 0x0A
        let span = unsafe bytes.span.bytes
        #expect(span.firstIndex(of: 0x0A, from: 0) == position)
        #expect(span.firstIndex(of: 0x0A, from: position) == position)
        #expect(span.firstIndex(of: 0x0A, from: position + 1) == nil)
        #expect(span.firstIndex(of: 0x0A, from: 0, to: position) == nil)
    }

    @Test func `the first of several is found whatever lies before it`() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let wanted = UInt8.random(in: 0...255, using: &generator)
            let span = unsafe bytes.span.bytes
            let expected = bytes.firstIndex(of: wanted)
            #expect(span.firstIndex(of: wanted, from: 0) == expected, "seed \(seed)")
        }
    }

    @Test func `stops in a word are exact at the lowest`() {
        for seed in UInt64(0)..<2_000 {
            var generator = SeededGenerator(seed: seed)
            let bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let word = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let control = bytes.firstIndex { $0 < 0x20 || $0 == 0x7F }
            let stop = bytes.firstIndex { $0 <= 0x20 || $0 >= 0x7F || $0 == 0x23 }
            let other = bytes.firstIndex { !isLetterOrHyphen($0) }
            #expect(lowest(Word.controls(word)) == control, "seed \(seed)")
            #expect(lowest(Word.targetStops(word)) == stop, "seed \(seed)")
            #expect(lowest(Word.notLettersOrHyphens(word)) == other, "seed \(seed)")
        }
    }

    private func lowest(_ hits: UInt64) -> Int? {
        hits == 0 ? nil : hits.trailingZeroBitCount / 8
    }

    private func isLetterOrHyphen(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
    }

    @Test(arguments: ["te", "age", "host", "range", "cookie", "upgrade", "location", "connection"])
    func `a known word is spelled in any case and not otherwise`(word: String) {
        for text in [word, word.uppercased()] {
            #expect(known(text) != .other, "\(text)")
        }
        for index in word.indices {
            var changed = word
            changed.replaceSubrange(index...index, with: "q")
            #expect(known(changed) == .other, "\(changed)")
        }
    }

    private func known(_ name: String) -> FieldName? {
        var table = FieldTable(capacity: 4)
        let bytes = Array("GET / HTTP/1.0\r\n\(name): 1\r\n\r\n".utf8)
        let span = unsafe bytes.span.bytes
        // A refusal because of the value comes after the table is filled, and is no matter here.
        _ = try? RequestParser().parse(span, fields: &table)
        return table.count == 1 ? table[0].known : nil
    }

    @Test(arguments: 0..<48)
    func `a copy has each byte and leaves those around it`(count: Int) {
        let source = (0..<48).map { UInt8($0 + 1) }
        var target = [UInt8](repeating: 0xFF, count: 64)
        unsafe source.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes { target in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                unsafe Word.copy(from, to: to + 8, count)
            }
        }
        let rest = [UInt8](repeating: 0xFF, count: 56 - count)
        #expect(target == [UInt8](repeating: 0xFF, count: 8) + source[..<count] + rest)
    }
}
