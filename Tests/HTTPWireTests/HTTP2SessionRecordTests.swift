// The account of windows and streams that a session keeps with its peer.
// Window by window, as frames show it.

import HTTPWire
import Testing

@Suite struct HTTP2SessionRecordTests {
    @Test func `6_9 the peer gets back what its readers have passed on`() throws {
        let server = try HTTP2Drive.server()
        server.showsData = false
        server.take(.headers(1, HPACK.post, ends: false))
        var back: [UInt32: UInt32] = [:]
        for _ in 0..<200 {
            server.take(.data(1, count: 16_000))
            for update in server.output().only(RawFrame.Kind.windowUpdate) {
                back[update.stream, default: 0] += update.value
            }
        }
        // All but less than half a window has come back, on both accounts.
        #expect(try #require(back[1]) > 3_200_000 - 131_072)
        #expect(try #require(back[0]) > 3_200_000 - 524_288)
    }

    @Test func `padding counts as passed on`() throws {
        let server = try HTTP2Drive.server()
        server.consumes = false
        server.take(.headers(1, HPACK.post, ends: false))
        var back: UInt32 = 0
        for index in 0..<3_000 {
            let padded = RawFrame(
                type: 0, flags: 8, stream: 1, payload: [254] + Array(repeating: 0, count: 255))
            server.take(padded)
            for update in server.output().only(RawFrame.Kind.windowUpdate) where update.stream == 1
            {
                back += update.value
            }
            #expect(server.session.fault == nil, "\(index)")
        }
        #expect(back > 500_000)
    }

    @Test func `a stream that ends gives back the connection's window`() throws {
        let server = try HTTP2Drive.server()
        server.showsData = false
        server.consumes = false
        var back: UInt32 = 0
        for index in 0..<40 {
            let id = UInt32(1 + 2 * index)
            server.take(.headers(id, HPACK.post, ends: false))
            for _ in 0..<10 { server.take(.data(id, count: 16_000)) }
            try server.stream(Int32(id)).reset(.cancel)
            for update in server.output().only(RawFrame.Kind.windowUpdate) where update.stream == 0
            {
                back += update.value
            }
        }
        #expect(server.session.fault == nil)
        #expect(back > 40 * 160_000 - 524_288)
    }

    @Test func `a stalled reader of an answer does not stop the others`() throws {
        let client = try HTTP2Drive.client()
        client.showsData = false
        client.consumes = false
        for _ in 0..<2 { try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n") }
        _ = client.output()
        client.take(.headers(1, [(":status", "200")], ends: false))
        for _ in 0..<65 { client.take(.data(1, count: 1_000)) }
        client.take(.headers(3, [(":status", "200")], ends: false))
        client.consumes = true
        var back: UInt32 = 0
        for _ in 0..<600 {
            client.take(.data(3, count: 16_000))
            let updates = client.output().only(RawFrame.Kind.windowUpdate)
            #expect(!updates.contains { $0.stream == 1 })
            for update in updates where update.stream == 0 { back += update.value }
        }
        // The stalled reader's share of the connection's window has come back with the others'.
        #expect(back > 8_000_000)
        #expect(client.session.fault == nil)
        for id in [Int32(1), 3] { try client.stream(id).reset(.cancel) }
    }

    @Test func `notices of room go to those who asked, once`() throws {
        let server = try HTTP2Drive.server(settings: [(4, 0)])
        for id in [UInt32(1), 3, 5] {
            server.take(.headers(id, HPACK.get))
            try server.respond(Int32(id), ends: false)
        }
        _ = server.output()
        #expect(try server.stream(1).writable == 0)
        #expect(try server.stream(5).writable == 0)
        #expect(server.take(.windowUpdate(3, 10)).isEmpty)
        #expect(server.take(.windowUpdate(5, 10)) == [.writable(5)])
        #expect(server.take(.windowUpdate(1, 10), .windowUpdate(5, 1)) == [.writable(1)])
    }

    @Test func `room that pending bytes take up is none`() throws {
        let server = try HTTP2Drive.server(settings: [(4, 10_000)])
        server.take(.headers(1, HPACK.get))
        try server.respond(1, ends: false)
        server.roomBytes = 0
        _ = try server.sendBytes(1, Array(repeating: 1, count: 10_000), ends: false)
        #expect(try server.stream(1).writable == 0)
        server.take(.windowUpdate(1, 100))
        #expect(try server.stream(1).writable == 100)
        try server.stream(1).reset(.cancel)
    }
}
