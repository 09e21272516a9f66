// RFC 9218: which of several answers leaves first, whoever has the last word on it, and that naming
// streams costs a client's connection nothing.

import HTTPWire
import Testing

@Suite struct HTTP2PriorityTests {
    private func update(_ stream: UInt32, _ value: String) -> RawFrame {
        RawFrame(type: 16, payload: number(stream) + Array(value.utf8))
    }

    /// The streams in the order in which their data leave.
    ///
    /// - Parameter answers: what heads say of their priority.
    private func order(
        _ server: HTTP2Drive, _ answers: [Int32: String] = [:], bodyBytes: Int = 4
    ) throws -> [UInt32] {
        server.roomBytes = 0
        for id in server.streams.keys.sorted() {
            let field = answers[id].map { "Priority: \($0)\r\n" } ?? ""
            try server.respond(id, "HTTP/1.1 200 OK\r\n\(field)\r\n", ends: false)
            _ = try server.send(id, String(repeating: "b", count: bodyBytes), ends: true)
        }
        server.roomBytes = 65_536
        return server.output().only(RawFrame.Kind.data).map(\.stream)
    }

    private func server(_ priorities: [UInt32: String] = [:]) throws -> HTTP2Drive {
        let server = try HTTP2Drive.server(settings: [(4, 1_000_000)])
        server.take(.windowUpdate(0, 1_000_000))
        for id in [UInt32(1), 3, 5] {
            let field = priorities[id].map { [("priority", $0)] } ?? []
            server.take(.headers(id, HPACK.get + field))
        }
        return server
    }

    @Test func `4 more urgent answers leave first`() throws {
        #expect(try order(server([1: "u=5", 3: "u=1", 5: "u=3"])) == [3, 5, 1])
    }

    @Test(arguments: [
        "u=0", "i, u=0", "u=0,i", " u=0 ", "x=1, u=0", "u=7, u=0", "u=0, i=?0",
        "u=0;x", "u=0;x=1;y, a=\"u=7\"", "u=0 , i;x", "u=0;a=\", u=7, \"",
    ])
    func `7_1 PRIORITY_UPDATE moves an answer`(_ value: String) throws {
        let server = try server()
        server.take(update(5, value))
        #expect(try order(server) == [5, 1, 3])
    }

    @Test(arguments: ["", "u=8", "u=-1", "u", "u=00", "U=0", "u=0x", "u;u=0", "u = 0", ",,"])
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

    @Test func `5 the values of several fields are one`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get + [("priority", "u=5"), ("priority", "i")]))
        server.take(.headers(3, HPACK.get + [("priority", "u=7"), ("priority", "u=4")]))
        #expect(try order(server) == [3, 1])
    }

    @Test(arguments: ["u=1", "u=1, i=?0", "i=?0,u=1", "x, u=1"])
    func `8 the answer has the last word on what it names`(_ value: String) throws {
        let server = try server([1: "u=2", 3: "u=2", 5: "u=6"])
        #expect(try order(server, [5: value]) == [5, 1, 3])
    }

    @Test(arguments: ["i", "i=?0", "", "u=9", "urgent"])
    func `8 what the answer does not name stays the client's`(_ value: String) throws {
        let server = try server([1: "u=3", 3: "u=1", 5: "u=2"])
        #expect(try order(server, [3: value, 5: value]) == [3, 5, 1])
    }

    @Test func `8 the answer's urgency leaves the client's wish to share`() throws {
        let shared = try server([1: "i", 3: "u=4, i", 5: "u=5"])
        let order = try order(shared, [1: "u=2", 3: "u=2", 5: "u=2"], bodyBytes: 40_000)
        #expect(order.filter { $0 != 5 } == [1, 3, 1, 3, 1, 3])
    }

    @Test func `4_2 answers that are not incremental leave one after the other`() throws {
        let server = try server([1: "u=2", 3: "u=2", 5: "u=2"])
        #expect(try order(server, bodyBytes: 40_000) == [1, 1, 1, 3, 3, 3, 5, 5, 5])
    }

    @Test func `8 a later PRIORITY_UPDATE changes what the answer has not named`() throws {
        let server = try server()
        server.roomBytes = 0
        for id in [Int32(1), 3, 5] {
            let field = id == 5 ? "priority: u=1\r\n" : ""
            try server.respond(id, "HTTP/1.1 200 OK\r\n\(field)\r\n", ends: false)
            _ = try server.send(id, "body", ends: true)
        }
        server.take(update(5, "u=7"), update(3, "u=2"))
        server.roomBytes = 65_536
        #expect(server.output().only(RawFrame.Kind.data).map(\.stream) == [5, 3, 1])
    }

    @Test func `9 streams that wait for room are told in the order of their urgency`() throws {
        let server = try HTTP2Drive.server(settings: [(4, 1_000_000)])
        server.take(.windowUpdate(0, 10_000_000))
        for (id, value) in [(UInt32(1), "u=4"), (3, "u=7"), (5, "u=0"), (7, "u=4")] {
            server.take(.headers(id, HPACK.get + [("priority", value)]))
        }
        server.roomBytes = 0
        for id in [Int32(1), 3, 5, 7] {
            try server.respond(id, ends: false)
            _ = try server.sendBytes(id, [UInt8](repeating: 1, count: 20_000), ends: false)
            #expect(try server.stream(id).writable == 0)
        }
        server.roomBytes = 200_000
        _ = server.output()
        #expect(server.notices() == [.writable(5), .writable(7), .writable(1), .writable(3)])
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
