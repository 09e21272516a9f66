// RFC 7541 clause by clause: header blocks that are legal arrive as what they mean, the others end
// the connection (4.3 of RFC 9113), since from then on both sides' tables would differ.

import HTTPWire
import Testing

struct BlockCase: Sendable, CustomTestStringConvertible {
    let clause: String
    let block: [UInt8]
    /// The head, or nil where the connection has to end.
    let head: String?

    init(_ clause: String, _ block: [UInt8], _ head: String? = nil) {
        self.clause = clause
        self.block = block
        self.head = head
    }

    var testDescription: String { clause }
}

@Suite struct HPACKConformanceTests {
    private static let plain = HPACK.block(HPACK.get)
    private static let line = "GET / HTTP/1.1\r\nhost: a.example\r\n"

    static let cases: [BlockCase] = [
        BlockCase("2.3.3 an index beyond both tables", plain + [0xC6]),
        BlockCase(
            "2.3.3 a name's index beyond both tables", plain + [0x7F, 0x07] + HPACK.text("v")),
        BlockCase("6.1 index 0", plain + [0x80]),
        BlockCase("4.2 a table's size changes after a field", plain + [0x20]),
        BlockCase("6.3 a table larger than was allowed", [0x3F, 0xE2, 0x1F] + plain),
        BlockCase(
            "6.3 a table as large as was allowed", [0x3F, 0xE1, 0x1F] + plain, line + "\r\n"),
        BlockCase("4.2 two changes of size", [0x20, 0x3F, 0xE1, 0x1F] + plain, line + "\r\n"),
        BlockCase(
            "5.2 Huffman padding longer than 7 bits",
            plain + [0x00, 0x81, 0xF9, 0x84, 0x1C, 0x64, 0xFF, 0xFF]),
        BlockCase("5.2 Huffman padding of zeros", plain + [0x00, 0x01, 0x78, 0x81, 0x18]),
        BlockCase(
            "5.2 Huffman with EOS",
            plain + [0x00, 0x01, 0x78, 0x85, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF]),
        BlockCase(
            "5.2 a Huffman value", plain + [0x00, 0x01, 0x78, 0x82, 0x1C, 0x7F],
            line + "x: ab\r\n\r\n"),
        BlockCase(
            "5.1 an integer that overflows",
            plain + [0x00, 0x01, 0x78, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]),
        BlockCase(
            "5.2 a string cut off by the end of the block", plain + [0x00, 0x01, 0x78, 0x05, 0x61]),
        BlockCase(
            "6.1 indexed fields of the static table", [0x82, 0x86, 0x84, 0x41, 0x01, 0x61],
            "GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
        BlockCase(
            "6.2.1 a literal to be indexed, then its index",
            plain + HPACK.literal("x", "y", form: 0x40) + [0xBE], line + "x: y\r\nx: y\r\n\r\n"),
        BlockCase(
            "6.2.1 a literal to be indexed, with an indexed name",
            plain + [0x40 | 0x2F] + HPACK.text("a"), line + "max-forwards: a\r\n\r\n"),
        BlockCase(
            "6.2.2 a literal without indexing, with an indexed name",
            plain + [0x0F, 0x20] + HPACK.text("a"), line + "max-forwards: a\r\n\r\n"),
        BlockCase(
            "6.2.3 a literal never to be indexed",
            plain + HPACK.literal("x", "y", form: 0x10), line + "x: y\r\n\r\n"),
        BlockCase(
            "4.4 an entry larger than the table empties it",
            plain + HPACK.literal("x", String(repeating: "a", count: 4_100), form: 0x40) + [0xBE]),
    ]

    @Test(arguments: cases)
    func `a header block is read to the letter or ends the connection`(_ row: BlockCase) throws {
        for bytewise in [false, true] {
            let server = try HTTP2Drive.server()
            let frame = RawFrame(type: 1, flags: 5, stream: 1, payload: row.block).bytes
            let seen = (bytewise ? frame.map { [$0] } : [frame]).flatMap { server.take($0) }
            let frames = server.output()
            if let head = row.head {
                #expect(seen == [.head(1, head, ends: true)])
                #expect(frames.goAway == nil)
            } else {
                #expect(frames.goAway == 9)
                #expect(seen.isEmpty)
            }
        }
    }

    @Test func `4_2 the decoder's table outlives a head and is the connection's`() throws {
        let server = try HTTP2Drive.server()
        let first = Self.plain + HPACK.literal("x", "y", form: 0x40)
        server.take(RawFrame(type: 1, flags: 5, stream: 1, payload: first))
        let seen = server.take(RawFrame(type: 1, flags: 5, stream: 3, payload: Self.plain + [0xBE]))
        #expect(seen == [.head(3, Self.line + "x: y\r\n\r\n", ends: true)])
    }

    @Test func `a block that is refused still changes the table`() throws {
        let server = try HTTP2Drive.server()
        let bad = HPACK.literal("x", "y", form: 0x40) + Self.plain
        server.take(RawFrame(type: 1, flags: 5, stream: 1, payload: bad))
        let seen = server.take(RawFrame(type: 1, flags: 5, stream: 3, payload: Self.plain + [0xBE]))
        #expect(seen == [.head(3, Self.line + "x: y\r\n\r\n", ends: true)])
    }

    @Test func `6_5_2 our encoder keeps within the table that the peer allows`() throws {
        let server = try HTTP2Drive.server(settings: [(1, 0)])
        for id in [Int32(1), 3] {
            server.take(.headers(UInt32(id), HPACK.get))
            try server.respond(id, "HTTP/1.1 200 OK\r\nserver: x\r\n\r\n")
        }
        let blocks = server.output().only(RawFrame.Kind.headers).map(\.payload)
        // The change of size comes first; then nothing of the table is used.
        #expect(blocks.first?.first == 0x20)
        #expect(blocks.count == 2)
        #expect(Array(blocks[0].dropFirst()) == blocks[1])
    }
}
