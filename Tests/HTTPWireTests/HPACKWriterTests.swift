// What everybody's table has is told by number, and nothing else is.

import Testing

@testable import HTTPWire

@Suite struct HPACKWriterTests {
    @Test(arguments: [
        ("200", [UInt8(0x88)]), ("204", [0x89]), ("206", [0x8A]), ("304", [0x8B]),
        ("400", [0x8C]), ("404", [0x8D]), ("500", [0x8E]),
        ("201", [0x48, 3, 0x32, 0x30, 0x31]),
    ])
    func `the statuses that everybody knows are one byte`(
        _ status: String, _ block: [UInt8]
    ) throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        try server.respond(1, "HTTP/1.1 \(status) x\r\n\r\n")
        let found = try #require(server.output().first(RawFrame.Kind.headers))
        #expect(found.payload == block)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", [UInt8(0x82), 0x86, 0x84]),
        ("POST / HTTP/1.1", [0x83, 0x86, 0x84]),
        ("GET /a HTTP/1.1", [0x82, 0x86, 0x04, 2, 0x2F, 0x61]),
        ("PUT / HTTP/1.1", [0x42, 3, 0x50, 0x55, 0x54, 0x86, 0x84]),
    ])
    func `so are the usual first lines`(_ line: String, _ block: [UInt8]) throws {
        let client = try HTTP2Drive.client()
        let stream = try client.request("\(line)\r\nhost: a\r\n\r\n")
        let found = try #require(client.output().first(RawFrame.Kind.headers))
        #expect(found.payload == block + [0x41, 1, 0x61])
        stream.reset(.cancel)
    }

    @Test(arguments: [
        ("content-type", UInt8(31)), ("date", 33), ("server", 54), ("vary", 59),
        ("cache-control", 24), ("www-authenticate", 61),
    ])
    func `a name that everybody knows is one byte`(_ name: String, _ place: UInt8) throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        try server.respond(1, "HTTP/1.1 200 OK\r\n\(name): x\r\n\r\n")
        let found = try #require(server.output().first(RawFrame.Kind.headers))
        #expect(found.payload == [0x88, 0x40 | place, 1, 0x78])
    }

    @Test(arguments: 0..<40)
    func `texts are the same when each byte is`(length: Int) throws {
        let text = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 33) }
        func isSame(_ other: [UInt8]) -> Bool {
            unsafe text.withUnsafeBytes { left in
                unsafe other.withUnsafeBufferPointer { right in
                    guard let first = left.baseAddress else { return length == 0 }
                    return unsafe HPACKHash.isSame(first, right.baseAddress, length)
                }
            }
        }
        #expect(isSame(text))
        for place in text.indices {
            var other = text
            other[place] ^= 1
            #expect(!isSame(other), "byte \(place)")
        }
    }
}
