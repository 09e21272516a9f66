// What the writer emits is what was kept, in order, and parses strictly to the same message.

import Fixtures
import HTTPWire
import Testing

@Suite struct HeadWriterTests {
    /// Parses, rewrites as a gateway would, and returns the new head.
    private func rewrite(_ bytes: [UInt8], skipping: FieldMask = .none) -> [UInt8]? {
        var table = FieldTable(capacity: 128)
        let span = unsafe bytes.span.bytes
        // A refused head is not rewritten; the caller only passes heads that parse.
        guard let head = try? RequestParser().parse(span, fields: &table) else { return nil }
        var buffer = HeadBuffer(capacity: 70_000)
        buffer.append(span, head.methodText)
        buffer.append(" ")
        buffer.append(span, head.target)
        buffer.append(" HTTP/1.1\r\n")
        HeadWriter.copyFields(table, of: span, skipping: skipping, into: &buffer)
        if head.framing == .chunked { buffer.append("transfer-encoding: chunked\r\n") }
        if head.hostField < 0 { buffer.append("host: a\r\n") }
        buffer.appendCRLF()
        guard !buffer.didOverflow else { return nil }
        return unsafe buffer.withBytes { written in unsafe Array(written) }
    }

    @Test func `hop-by-hop fields, aliases and the skipped are left out`() throws {
        let text =
            "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\nConnection: x, close\r\nX: 2\r\nB:3\r\n"
            + "x_forwarded_for: 4\r\nForwarded: 5\r\nC:  6 \r\n\r\n"
        let written = try #require(rewrite(Array(text.utf8), skipping: [.forwarded]))
        let expected = "GET / HTTP/1.1\r\nA: 1\r\nHost: h\r\nB:3\r\nC:  6 \r\n\r\n"
        #expect(String(decoding: written, as: UTF8.self) == expected)
    }

    @Test func `a head without kept fields is empty`() throws {
        let written = try #require(
            rewrite(Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8), skipping: [.host]))
        #expect(String(decoding: written, as: UTF8.self) == "GET / HTTP/1.1\r\n\r\n")
    }

    @Test func `what is written parses to the same message`() throws {
        var rewritten = 0
        for seed in UInt64(0)..<4_000 {
            var generator = SeededGenerator(seed: seed)
            let bytes = RandomHead.request(&generator)
            guard let parsed = Wire.request(bytes).message else { continue }
            let written = try #require(rewrite(bytes), "seed \(seed)")
            let again = try #require(Wire.request(written).message, "seed \(seed)")
            #expect(again.method == parsed.method, "seed \(seed)")
            #expect(again.target == parsed.target, "seed \(seed)")
            #expect(again.framing == parsed.framing, "seed \(seed)")
            let kept = parsed.fields.filter { !$0.isHopByHop && !$0.isAlias }
            #expect(Array(again.fields.prefix(kept.count)) == kept, "seed \(seed)")
            #expect(again.byteCount == written.count, "seed \(seed)")
            rewritten += 1
        }
        #expect(rewritten > 500)
    }
}
