// Frames on streams that are gone: whose fault they are, as far back as is remembered.

import HTTPWire
import Testing

@Suite struct HTTP2RecentStreamsTests {
    private func answered(_ count: Int) throws -> HTTP2Drive {
        let server = try HTTP2Drive.server()
        for index in 0..<count {
            let id = Int32(1 + 2 * index)
            server.take(.headers(UInt32(id), HPACK.get))
            try server.respond(id)
            try server.stream(id).release()
            _ = server.output()
        }
        return server
    }

    @Test func `5_1 a frame on a stream that both have ended is the client's fault`() throws {
        for id in [UInt32(1), 21, 99] {
            let server = try answered(50)
            server.take(.data(id, "x"))
            #expect(server.output().goAway == 5, "stream \(id)")
        }
    }

    @Test func `streams too long ago to tell are left alone`() throws {
        let server = try answered(200)
        server.take(.data(1, "x"), .headers(3, HPACK.get))
        #expect(server.output().goAway == nil)
        server.take(.data(399, "x"))
        #expect(server.output().goAway == 5)
    }

    @Test func `5_1_1 a client may skip streams but not come back to them`() throws {
        let server = try HTTP2Drive.server()
        for id in stride(from: UInt32(3), to: 200, by: 4) { server.take(.headers(id, HPACK.get)) }
        #expect(server.session.streamCount == 50)
        server.take(.headers(5, HPACK.get))
        #expect(server.output().goAway == 1)
    }

    @Test func `5_4_2 what crosses with our reset is nobody's fault`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        try server.stream(1).reset(.refusedStream)
        #expect(server.output().resets == [1: 7])
        server.take(.data(1, "a"), .headers(1, [("x", "y")]), .windowUpdate(1, 1))
        #expect(server.output().goAway == nil)
    }

    @Test func `streams refused for their number are nobody's fault either`() throws {
        let server = try HTTP2Drive(server: HTTP2Options())
        var bytes = RawFrame.preface + RawFrame.settings().bytes
        // More than are allowed, before the client can know it.
        for index in 0..<130 {
            let id = UInt32(1 + 2 * index)
            bytes += RawFrame.headers(id, HPACK.post, ends: false).bytes
        }
        server.take(bytes)
        #expect(server.output().resets == [257: 7, 259: 7])
        server.take(.data(257, "a"), .headers(257, [("x", "y")]))
        #expect(server.output().goAway == nil)
    }
}
