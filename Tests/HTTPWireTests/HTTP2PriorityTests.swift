// RFC 9218: which of several answers leaves first, whoever has the last word on it, and that naming
// streams costs a client's connection nothing.

import HTTPWire
import Testing

@Suite struct HTTP2PriorityTests {
    private func update(_ stream: UInt32, _ value: String) -> RawFrame {
        RawFrame(type: 16, payload: number(stream) + Array(value.utf8))
    }

    /// The streams in the order in which their data leave.
    private func order(_ server: HTTP2Drive) throws -> [UInt32] {
        server.roomBytes = 0
        for id in server.streams.keys.sorted() {
            try server.respond(id, ends: false)
            _ = try server.send(id, "body", ends: true)
        }
        server.roomBytes = 65_536
        return server.output().only(RawFrame.Kind.data).map(\.stream)
    }

    private func server(_ priorities: [UInt32: String] = [:]) throws -> HTTP2Drive {
        let server = try HTTP2Drive.server()
        for id in [UInt32(1), 3, 5] {
            let field = priorities[id].map { [("priority", $0)] } ?? []
            server.take(.headers(id, HPACK.get + field))
        }
        return server
    }

    @Test func `4 more urgent answers leave first`() throws {
        #expect(try order(server([1: "u=5", 3: "u=1", 5: "u=3"])) == [3, 5, 1])
    }

    @Test(arguments: ["u=0", "i, u=0", "u=0,i", " u=0 ", "x=1, u=0", "u=7, u=0", "u=0, i=?0"])
    func `7_1 PRIORITY_UPDATE moves an answer`(_ value: String) throws {
        let server = try server()
        server.take(update(5, value))
        #expect(try order(server) == [5, 1, 3])
    }

    @Test(arguments: ["", "u=8", "u=-1", "u", "u=00", "U=0", "u=0;x", "u = 0", ",,"])
    func `4 what cannot be read says nothing`(_ value: String) throws {
        let server = try server()
        server.take(update(5, value))
        #expect(try order(server) == [1, 3, 5])
    }

    @Test func `7_1 a value too long to be one says nothing`() throws {
        let server = try server()
        server.take(update(5, "u=0, " + String(repeating: "x", count: 100)))
        #expect(try order(server) == [1, 3, 5])
    }

    @Test func `7_1 PRIORITY_UPDATE may come before its stream, and outdoes the head`() throws {
        let server = try HTTP2Drive.server()
        server.take(update(5, "u=0"), update(3, "u=6"), update(3, "u=1"))
        for id in [UInt32(1), 3, 5] {
            server.take(.headers(id, HPACK.get + [("priority", id == 3 ? "u=7" : "u=3")]))
        }
        #expect(try order(server) == [5, 3, 1])
    }

    @Test func `7_1 PRIORITY_UPDATE is heeded in its turn within one read`() throws {
        let server = try HTTP2Drive.server()
        let frames = [RawFrame.headers(1, HPACK.get), .headers(3, HPACK.get), update(3, "u=0")]
        server.take(frames.flatMap(\.bytes))
        #expect(try order(server) == [3, 1])
    }

    @Test func `8 the gateway has the last word`() throws {
        let server = try server()
        try server.stream(3).prioritise(urgency: 0, isIncremental: false)
        server.take(update(3, "u=7"), update(5, "u=2"))
        #expect(try order(server) == [3, 5, 1])
    }

    @Test func `streams that were named before they began are freed once`() throws {
        let server = try HTTP2Drive.server()
        for index in 0..<400 {
            let id = UInt32(1 + 2 * index)
            server.take(update(id, "u=1"), .headers(id, HPACK.get))
            try server.respond(Int32(id))
            try server.stream(Int32(id)).release()
            #expect(server.output().goAway == nil)
        }
        #expect(server.session.streamCount == 0)
    }

    @Test func `naming streams that never begin keeps nothing of them`() throws {
        let server = try HTTP2Drive.server()
        for index in 0..<500 { server.take(update(UInt32(1_001 + 2 * index), "u=1")) }
        for id in [UInt32(1), 3] { server.take(.headers(id, HPACK.get)) }
        server.take(update(3, "u=0"))
        #expect(server.session.streamCount == 2)
        #expect(try order(server) == [3, 1])
    }

    @Test func `7_1 PRIORITY_UPDATE of three bytes ends the connection`() throws {
        let server = try HTTP2Drive.server()
        server.take(RawFrame(type: 16, payload: [0, 0, 1]))
        #expect(server.output().goAway == 6)
    }

    @Test func `7_1 a server's own streams have no priority to update`() throws {
        let server = try HTTP2Drive.server()
        server.take(update(2, "u=1"))
        #expect(server.output().goAway == 1)
    }
}
