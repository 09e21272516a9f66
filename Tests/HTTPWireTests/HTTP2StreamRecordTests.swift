// A stream's record lives as long as anybody may look at it, and no longer.

import HTTPWire
import Testing

@Suite struct HTTP2StreamRecordTests {
    @Test func `a handle holds after the stream has ended`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        try server.respond(1)
        _ = server.output()
        let stream = try server.stream(1)
        #expect(!stream.isOpen)
        #expect(stream.id == 1)
        #expect(stream.writable == 0 && stream.pending == 0 && stream.stalledSince == nil)
        #expect(throws: HTTP2HeadFault.streamOver) { try server.respond(1) }
        #expect(throws: HTTP2HeadFault.streamOver) { try server.sendTrailers(1, "x: y\r\n\r\n") }
        stream.consume(100)
        stream.release()
    }

    @Test func `records are used again without a trace of the last stream`() throws {
        let server = try HTTP2Drive.server(settings: [(4, 1)])
        for index in 0..<3_000 {
            let id = Int32(1 + 2 * index)
            server.take(.headers(UInt32(id), HPACK.post + [("content-length", "1")], ends: false))
            try server.respond(id, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", ends: false)
            let stream = try server.stream(id)
            #expect(stream.owner == 0 && stream.pending == 0)
            stream.owner = UInt(id)
            _ = try server.send(id, "abc", ends: true)
            #expect(stream.pending == 2)
            server.take(.reset(UInt32(id)))
            stream.release()
            server.streams.removeAll()
            server.now += 50_000_000
        }
        #expect(server.session.pendingBytes == 0)
        #expect(server.session.streamCount == 0)
    }

    @Test func `an answer that was complete before its reset still counts`() throws {
        let client = try HTTP2Drive.client()
        try client.request("POST / HTTP/1.1\r\nhost: a\r\n\r\n", ends: false)
        _ = client.output()
        let seen = client.take(
            .headers(1, [(":status", "413")], ends: false), .data(1, "no", ends: true), .reset(1, 0)
        )
        let text = "HTTP/1.1 413 \r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(seen == [.head(1, text, ends: false), .data(1, "no", ends: true), .reset(1, 0)])
        try client.stream(1).release()
    }
}
