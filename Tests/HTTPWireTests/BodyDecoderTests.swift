// Bodies by length, by connection end and in chunks (RFC 9112 6 and 7), and that the result is the
// same however the bytes arrive.

import HTTPWire
import Testing

@Suite struct BodyDecoderTests {
    private func decode(_ text: String, _ framing: BodyFraming = .chunked) -> DecodedBody {
        BodyDrive.run(Array(text.utf8), framing: framing, keepsFraming: false).body
    }

    @Test func `a decoder fits a connection record`() {
        #expect(MemoryLayout<BodyDecoder>.size <= 64)
    }

    @Test func `a body by length ends at its last byte`() {
        let body = decode("hello!", .length(5))
        #expect(body.payload == Array("hello".utf8))
        #expect(body.outcome == .complete)
        #expect(body.rest == 1)
        #expect(decode("hell", .length(5)).outcome == .wantsMore)
    }

    @Test(arguments: [BodyFraming.none, .length(0)])
    func `an empty body ends before it begins`(framing: BodyFraming) {
        #expect(decode("x", framing).outcome == .complete)
        #expect(decode("x", framing).rest == 1)
    }

    @Test func `a body until close takes all and ends with the connection`() throws {
        #expect(decode("hello", .untilClose).payload == Array("hello".utf8))
        var decoder = BodyDecoder(framing: .untilClose, keepsFraming: false)
        try decoder.ended()
        #expect(decoder.isDone)
    }

    @Test(arguments: [BodyFraming.length(1), .chunked])
    func `a close before the end is a truncation`(framing: BodyFraming) {
        var decoder = BodyDecoder(framing: framing, keepsFraming: true)
        do throws(WireError) {
            try decoder.ended()
            Issue.record("the body was complete")
        } catch {
            #expect(error == .truncatedBody)
        }
    }

    static let chunked: [(String, String)] = [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("1\r\na\r\n01\r\nb\r\n00\r\n\r\n", "ab"),
        ("1;a\r\nx\r\n0;last\r\n\r\n", "x"), ("1;a=b\r\nx\r\n0\r\n\r\n", "x"),
        ("1 ; a = \"q\\\"; \\\\\" ;b\r\nx\r\n0\r\n\r\n", "x"), ("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x"),
        ("0000000000000001\r\nx\r\n0\r\n\r\n", "x"), ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
    ]

    @Test(arguments: chunked)
    func `chunks are joined`(text: String, expected: String) {
        let body = decode(text + "rest")
        #expect(body.outcome == .complete)
        #expect(body.payload == Array(expected.utf8))
        #expect(body.rest == 4)
    }

    static let refused: [(String, WireError)] = [
        ("\r\n", .badChunkSize), ("x\r\n", .badChunkSize), (" 1\r\n", .badChunkSize),
        ("-1\r\n", .badChunkSize), ("+1\r\n", .badChunkSize), ("0x1\r\n", .badChunkSize),
        ("1g\r\n", .badChunkSize), (";a\r\n", .badChunkSize), ("1\u{0}\r\n", .badChunkSize),
        ("1_0\r\n", .badChunkSize), ("1,\r\n", .badChunkSize), ("\n", .bareLineFeed),
        ("1\nx\r\n", .bareLineFeed), ("1\rx\r\n", .bareCarriageReturn),
        ("1\r\rx", .bareCarriageReturn), ("1;a\n", .bareLineFeed), ("1;a\rb", .bareCarriageReturn),
        ("8000000000000000\r\n", .chunkSizeTooLarge), ("ffffffffffffffff\r\n", .chunkSizeTooLarge),
        ("10000000000000000\r\n", .chunkSizeTooLarge),
        ("00000000000000001\r\n", .chunkSizeTooLarge),
        ("1 \r\n", .badChunkExtension), ("1;\r\n", .badChunkExtension),
        ("1;;a\r\n", .badChunkExtension), ("1;=b\r\n", .badChunkExtension),
        ("1;a=\r\n", .badChunkExtension), ("1;a=b=c\r\n", .badChunkExtension),
        ("1;a b\r\n", .badChunkExtension), ("1;a=\"b\r\n", .badChunkExtension),
        ("1;a=\"b\"c\r\n", .badChunkExtension), ("1;a=\"\u{1}\"\r\n", .badChunkExtension),
        ("1;a=\"\n\"\r\n", .bareLineFeed), ("1;a=\"\\\r\n", .badChunkExtension),
        ("1;\u{0}\r\n", .badChunkExtension), ("1;a@\r\n", .badChunkExtension),
        ("1;a \r\n", .badChunkExtension), ("1 a\r\n", .badChunkExtension),
        ("1\r\nxy\r\n", .badChunkEnd), ("1\r\nx\n0\r\n\r\n", .badChunkEnd),
        ("1\r\nx\rx", .badChunkEnd), ("1\r\nx0\r\n\r\n", .badChunkEnd),
        ("0\r\n\rx", .bareCarriageReturn), ("0\r\n\n", .bareLineFeed),
        ("0\r\nA: b\n\r\n", .bareLineFeed), ("0\r\n A: b\r\n\r\n", .obsoleteFold),
        ("0\r\nA: b\r\n c\r\n\r\n", .obsoleteFold), ("0\r\nA : b\r\n\r\n", .spaceBeforeColon),
        ("0\r\nA: \u{1}\r\n\r\n", .badFieldValue), ("0\r\nA@: b\r\n\r\n", .badFieldName),
        ("0\r\n: b\r\n\r\n", .emptyFieldName), ("0\r\nA\r\n\r\n", .badFieldName),
    ]

    @Test(arguments: refused)
    func `malformed chunks are refused`(text: String, expected: WireError) {
        #expect(decode(text).outcome == .refused(expected), "\(text.debugDescription)")
        let kept = BodyDrive.run(Array(text.utf8), framing: .chunked, keepsFraming: true)
        #expect(kept.body.outcome == .refused(expected), "\(text.debugDescription)")
    }

    @Test func `the largest chunk size is understood`() {
        var decoder = BodyDecoder(framing: .chunked, keepsFraming: true)
        var table = FieldTable(capacity: 1)
        var offset = 0
        let bytes = Array("7fffffffffffffff\r\n".utf8)
        let span = unsafe bytes.span.bytes
        let event = try? decoder.next(span, from: &offset, fields: &table)
        #expect(event == .chunkHeader(UInt64(Int64.max)))
    }

    @Test func `extensions are paid for by payload`() {
        let long = String(repeating: "a", count: 200)
        let small = String(repeating: "1;\(long)\r\nx\r\n", count: 100)
        #expect(decode(small).outcome == .refused(.chunkOverheadTooLarge))
        let data = String(repeating: "x", count: 256)
        let large = String(repeating: "100;\(long)\r\n\(data)\r\n", count: 500)
        #expect(decode(large + "0\r\n\r\n").outcome == .complete)
        let endless = "1;" + String(repeating: "a", count: Limits.chunkOverheadBytes)
        #expect(decode(endless).outcome == .refused(.chunkOverheadTooLarge))
    }

    @Test func `trailers are kept and those that may not be there are flagged`() {
        let body = decode(
            "0\r\nx-checksum: 1\r\nContent-Length: 5\r\nHost: a\r\ngrpc-status: 0\r\n"
                + "Content-Anything: b\r\nIf-Match: c\r\nx_forwarded_for: d\r\n\r\nrest")
        #expect(body.outcome == .complete)
        #expect(body.rest == 4)
        let kept = body.trailers.filter { !$0.isHopByHop && !$0.isAlias }.map(\.name)
        #expect(kept == ["x-checksum", "grpc-status"])
        #expect(body.trailers.count == 7)
    }

    @Test func `trailers are bounded in number and size`() {
        let many = String(repeating: "A: b\r\n", count: Limits.trailers + 1)
        #expect(decode("0\r\n\(many)\r\n").outcome == .refused(.tooManyFields))
        let long = "A: " + String(repeating: "b", count: Limits.trailerBytes)
        #expect(decode("0\r\n\(long)").outcome == .refused(.trailersTooLarge))
        #expect(decode("0\r\n\(long)\r\n\r\n").outcome == .refused(.trailersTooLarge))
    }

    @Test func `canonical chunks are forwarded in one run`() {
        let text = Array("5\r\nhello\r\n1\r\nx\r\n0\r\n\r\n".utf8)
        let span = unsafe text.span.bytes
        var decoder = BodyDecoder(framing: .chunked, keepsFraming: true)
        var table = FieldTable(capacity: 1)
        var offset = 0
        let first = try? decoder.next(span, from: &offset, fields: &table)
        #expect(first == .framed(Slice(from: 0, to: 16), payload: 6))
        let second = try? decoder.next(span, from: &offset, fields: &table)
        #expect(second == .end(hasTrailers: false))
    }

    @Test func `extensions are stripped from what is forwarded`() {
        let text = Array("1\r\na\r\n2;x=y\r\nbc\r\n003\r\ndef\r\n0;z\r\n\r\n".utf8)
        let result = BodyDrive.run(text, framing: .chunked, keepsFraming: true)
        #expect(result.forwarded == Array("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n".utf8))
        #expect(result.counted == 6)
        #expect(result.body.outcome == .complete)
    }
}
