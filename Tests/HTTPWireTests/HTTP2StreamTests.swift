// Bodies on the way out: windows, room, what waits and in which order it leaves, and the ends of a
// stream.

import HTTPWire
import Testing

@Suite struct HTTP2StreamTests {
    /// Streams whose requests have come, whole.
    private func server(
        streams: Int = 1, settings: [(UInt16, UInt32)] = []
    ) throws -> HTTP2Drive {
        let server = try HTTP2Drive.server(settings: settings)
        for index in 0..<streams { server.take(.headers(UInt32(1 + 2 * index), HPACK.get)) }
        return server
    }

    // MARK: Windows

    @Test func `6_9_1 no more data leave than the window allows`() throws {
        let server = try server(settings: [(4, 3)])
        try server.respond(1, ends: false)
        #expect(try server.send(1, "abcde", ends: true).last?.payload == Array("abc".utf8))
        #expect(try server.stream(1).pending == 2)
        server.take(.windowUpdate(1, 1))
        #expect(server.output() == [.data(1, "d")])
        server.take(.windowUpdate(1, 10))
        #expect(server.output() == [.data(1, "e", ends: true)])
        #expect(server.session.streamCount == 0)
    }

    @Test func `6_9_2 a window that SETTINGS make negative has to be made up for`() throws {
        let server = try server(settings: [(4, 3)])
        try server.respond(1, ends: false)
        _ = try server.send(1, "abc")
        server.take(.settings([(4, 2)]))
        _ = server.output()
        #expect(try server.send(1, "de").isEmpty)
        server.take(.windowUpdate(1, 1))
        #expect(server.output().isEmpty)
        server.take(.windowUpdate(1, 1))
        #expect(server.output() == [.data(1, "d")])
    }

    @Test func `6_9_2 a larger initial window opens streams that wait`() throws {
        let server = try server(settings: [(4, 0)])
        try server.respond(1, ends: false)
        #expect(try server.stream(1).writable == 0)
        let seen = server.take(.settings([(4, 5)]))
        #expect(seen == [.writable(1)])
        #expect(try server.stream(1).writable == 5)
    }

    @Test func `the connection's window holds for all streams together`() throws {
        let server = try server(streams: 2, settings: [(4, 1_000_000)])
        for id in [Int32(1), 3] { try server.respond(id, ends: false) }
        let sent = RawFrame.parse(
            try server.sendBytes(1, Array(repeating: 1, count: 60_000), ends: false))
        #expect(sent.only(RawFrame.Kind.data).map(\.payload.count).reduce(0, +) == 60_000)
        #expect(try server.stream(3).writable == 5_535)
        _ = try server.sendBytes(3, Array(repeating: 1, count: 5_535), ends: false)
        #expect(try server.stream(3).writable == 0)
        #expect(server.take(.windowUpdate(0, 10)) == [.writable(3)])
    }

    @Test func `a piece is cut into frames that the peer takes`() throws {
        let server = try server(settings: [(4, 100_000)])
        server.roomBytes = 100_000
        try server.respond(1, ends: false)
        let bytes = try server.sendBytes(1, Array(repeating: 1, count: 40_000), ends: true)
        let lengths = RawFrame.parse(bytes).only(RawFrame.Kind.data).map(\.payload.count)
        #expect(lengths == [16_384, 16_384, 7_232])
    }

    // MARK: Room

    @Test(arguments: [UInt32(0), 2_147_483_647])
    func `interim heads wait in a bounded number, whatever the windows`(_ window: UInt32) throws {
        let server = try server(settings: [(4, window)])
        let early = "HTTP/1.1 103 \r\nlink: \(String(repeating: "x", count: 500))\r\n\r\n"
        var count = 0
        while try count < 1_000 && server.stream(1).writable > 0 {
            try server.respond(1, early, ends: false)
            count += 1
        }
        #expect(count == 16)
        #expect(server.notices().isEmpty)
        #expect(server.output().only(RawFrame.Kind.headers).count == count)
        #expect(server.notices() == [.writable(1)])
        #expect(try server.stream(1).writable > 0)
    }

    @Test func `an answer behind interim heads that wait counts windows again`() throws {
        let server = try server(settings: [(4, 3)])
        while try server.stream(1).writable > 0 {
            try server.respond(1, "HTTP/1.1 102 \r\n\r\n", ends: false)
        }
        try server.respond(1, ends: false)
        _ = server.output()
        #expect(server.notices() == [.writable(1)])
        #expect(try server.stream(1).writable == 3)
    }

    @Test func `however large the windows, little waits`() throws {
        let server = try server(settings: [(4, 2_147_483_647)])
        server.take(.windowUpdate(0, 1_000_000_000))
        try server.respond(1, ends: false)
        server.roomBytes = 0
        _ = try server.sendBytes(1, Array(repeating: 1, count: 16_383), ends: false)
        #expect(try server.stream(1).writable > 0)
        _ = try server.sendBytes(1, [1], ends: false)
        #expect(try server.stream(1).writable == 0)
        #expect(server.notices().isEmpty)
        server.roomBytes = 1_000
        _ = server.output()
        #expect(server.notices() == [.writable(1)])
    }

    @Test func `without room everything waits and leaves in order`() throws {
        let server = try server()
        try server.respond(1, ends: false)
        server.roomBytes = 0
        #expect(try server.send(1, "ab").isEmpty)
        #expect(try server.send(1, "cd").isEmpty)
        #expect(server.session.pendingBytes == 4)
        server.roomBytes = 1_000
        let frames = server.output()
        #expect(frames.map(\.type) == [RawFrame.Kind.headers, RawFrame.Kind.data])
        #expect(frames.last?.payload == Array("abcd".utf8))
        #expect(server.session.pendingBytes == 0)
        #expect(try server.send(1, "e").last?.payload == Array("e".utf8))
    }

    @Test(arguments: [10, 11, 100, 1_032, 1_033, 16_392, 16_393, 16_394, 60_000])
    func `whatever the room, the bytes are the same`(_ roomBytes: Int) throws {
        func bytes(_ roomBytes: Int) throws -> [UInt8] {
            let server = try server(streams: 3)
            for id in [Int32(1), 3, 5] {
                try server.respond(id, "HTTP/1.1 200 OK\r\nx: \(id)\r\n\r\n", ends: false)
            }
            server.roomBytes = 0
            for id in [Int32(1), 3, 5] {
                let body = [UInt8](repeating: UInt8(id), count: 18_000)
                _ = try server.sendBytes(id, body, ends: true)
            }
            server.roomBytes = roomBytes
            return server.outputBytes()
        }
        let frames = RawFrame.parse(try bytes(roomBytes))
        for id in [UInt32(1), 3, 5] {
            let data = frames.filter { $0.type == RawFrame.Kind.data && $0.stream == id }
            #expect(data.flatMap(\.payload) == [UInt8](repeating: UInt8(id), count: 18_000))
            #expect(data.last?.flags == RawFrame.endStream)
        }
    }

    // MARK: Stalls

    @Test func `a stream stalls from when its bytes stop moving`() throws {
        let server = try server(settings: [(4, 0)])
        try server.respond(1, ends: false)
        server.now = 50
        _ = try server.send(1, String(repeating: "a", count: 5_000))
        #expect(try server.stream(1).stalledSince == 50)
        // Opened byte by byte, it has still stalled.
        for time in 51..<60 {
            server.now = Int64(time)
            server.take(.windowUpdate(1, 1))
            _ = server.output()
        }
        #expect(try server.stream(1).stalledSince == 50)
        #expect(server.session.longestStalled == (try server.stream(1)))
        server.now = 70
        server.take(.windowUpdate(1, 2_000))
        _ = server.output()
        #expect(try server.stream(1).stalledSince == 70)
        server.take(.windowUpdate(1, 9_000))
        _ = server.output()
        #expect(try server.stream(1).stalledSince == nil)
    }

    @Test func `the stream whose own limit is over first has waited longest`() throws {
        let server = try server(streams: 3, settings: [(4, 0)])
        for (index, id) in [Int32(1), 3, 5].enumerated() {
            try server.respond(id, ends: false)
            server.now = 50 + Int64(index)
            _ = try server.send(id, "waits")
        }
        #expect(try server.stream(1).stallEnd == .max)
        try server.stream(3).stallLimit = 100
        try server.stream(5).stallLimit = 10
        #expect(server.session.longestStalled == (try server.stream(5)))
        #expect(try server.stream(5).stallEnd == 62)
        #expect(try server.stream(3).stallEnd == 151)
    }

    @Test func `a stream that waits for its turn has not stalled`() throws {
        let server = try server(streams: 2)
        server.roomBytes = 0
        for id in [Int32(1), 3] {
            try server.respond(id, ends: false)
            _ = try server.send(id, "waits")
        }
        #expect(try server.stream(1).pending > 0)
        #expect(try server.stream(1).stalledSince == nil)
        #expect(server.session.longestStalled == nil)
    }

    @Test func `a stream that waits for the connection stalls when no other moves`() throws {
        let server = try server(settings: [(4, 100_000)])
        // Its turn is behind the other's.
        server.take(.headers(3, HPACK.get + [("priority", "u=5")]))
        for id in [Int32(1), 3] { try server.respond(id, ends: false) }
        server.now = 50
        _ = try server.sendBytes(1, Array(repeating: 1, count: 70_000), ends: false)
        _ = try server.send(3, "waits")
        while !server.output().isEmpty {}
        server.now = 60
        #expect(try server.stream(3).stalledSince == 50)
        // Some for each of the two, or it is none.
        server.take(.windowUpdate(0, 1_500))
        _ = server.output()
        #expect(try server.stream(3).stalledSince == 50)
        server.now = 70
        server.take(.windowUpdate(0, 1_500))
        _ = server.output()
        #expect(try server.stream(3).stalledSince == 70)
        #expect(try server.stream(3).shutSince(80) == 80)
    }

    // MARK: Trailers

    @Test func `trailers follow what is pending`() throws {
        let server = try server(settings: [(4, 1)])
        try server.respond(1, ends: false)
        _ = try server.send(1, "ab")
        try server.sendTrailers(1, "Grpc-Status: 0\r\n\r\n")
        #expect(server.output().isEmpty)
        server.take(.windowUpdate(1, 1))
        let frames = server.output()
        #expect(frames.map(\.type) == [RawFrame.Kind.data, RawFrame.Kind.headers])
        #expect(frames.map { $0.flags & RawFrame.endStream } == [0, 1])
        #expect(server.session.streamCount == 0)
    }

    @Test func `trailers after all is sent need no empty frame`() throws {
        let server = try server()
        try server.respond(1, ends: false)
        _ = try server.send(1, "ab")
        try server.sendTrailers(1, "grpc-status: 0\r\n\r\n")
        #expect(server.output().map(\.type) == [RawFrame.Kind.headers])
    }

    @Test func `a head and trailers are an answer without a body`() throws {
        let server = try server()
        try server.respond(1, ends: false)
        try server.sendTrailers(1, "grpc-status: 12\r\n\r\n")
        let frames = server.output()
        #expect(frames.map(\.type) == [RawFrame.Kind.headers, RawFrame.Kind.headers])
        #expect(server.session.streamCount == 0)
    }

    // MARK: Lengths

    @Test(arguments: ["three", "seven!!"])
    func `a body that breaks its head's promise is reset`(_ body: String) throws {
        let server = try server()
        try server.respond(1, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n", ends: false)
        let frames = try server.send(1, body, ends: true) + server.output()
        #expect(frames.resets == [1: 2])
        #expect(!frames.contains { $0.flags & RawFrame.endStream != 0 && $0.type == 0 })
        try server.stream(1).release()
    }

    // MARK: Ends

    @Test func `8_1 an answer before the request's end tells the client to stop`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        try server.respond(1, "HTTP/1.1 413 Too Large\r\n\r\n")
        try server.stream(1).release()
        let frames = server.output()
        #expect(frames.map(\.type) == [RawFrame.Kind.headers, RawFrame.Kind.reset])
        #expect(frames.resets == [1: 0])
        // What crossed with that is nobody's fault.
        server.take(.data(1, "late", ends: true))
        #expect(server.output().goAway == nil)
    }

    @Test func `what was sent to its end still leaves after its owner let go`() throws {
        let server = try server(settings: [(4, 2)])
        try server.respond(1, ends: false)
        _ = try server.send(1, "abcd", ends: true)
        try server.stream(1).release()
        server.take(.windowUpdate(1, 5))
        #expect(server.output() == [.data(1, "cd", ends: true)])
        #expect(server.session.streamCount == 0)
    }

    @Test func `an answer that is let go of unfinished is reset`() throws {
        let server = try server()
        try server.respond(1, ends: false)
        try server.stream(1).release()
        #expect(server.output().resets == [1: 8])
    }

    @Test func `a client's reset is told once and ends all`() throws {
        let server = try server()
        try server.respond(1, ends: false)
        #expect(server.take(.reset(1, 8)) == [.reset(1, 8)])
        #expect(try server.stream(1).writable == 0)
        #expect(try server.send(1, "late").only(RawFrame.Kind.data).isEmpty)
        #expect(server.take(.ping()).isEmpty)
        try server.stream(1).release()
        #expect(server.output().resets.isEmpty)
    }

    @Test func `a stream that is reset before its head was seen never appears`() throws {
        let server = try HTTP2Drive.server()
        #expect(server.take(.headers(1, HPACK.get), .reset(1)).isEmpty)
        #expect(server.session.streamCount == 0)
    }

    @Test func `an upgrade is answered as RFC 8441 has it`() throws {
        var options = HTTP2Options()
        options.allowsUpgrades = true
        let server = try HTTP2Drive.server(options)
        let client = try HTTP2Drive.client(settings: [(8, 1)])
        try client.request(
            "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                + "sec-websocket-key: k\r\n\r\n", ends: false)
        let asked = server.take(client.outputBytes())
        guard case .head(1, let head, false) = try #require(asked.first) else { return }
        #expect(head.contains("upgrade: websocket") && !head.contains("sec-websocket-key"))
        #expect(throws: HTTP2HeadFault.cannotUpgrade) { try server.respond(1, ends: false) }
        try server.respond(
            1, "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n",
            ends: false)
        let answered = client.take(try server.sendBytes(1, Array("frame".utf8), ends: false))
        let text =
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        #expect(answered == [.head(1, text, ends: false), .data(1, "frame", ends: false)])
        for end in [server, client] { try end.stream(1).reset(.cancel) }
    }

    @Test func `101 to a request that asked for nothing is not sent`() throws {
        let server = try server()
        #expect(throws: HTTP2HeadFault.cannotUpgrade) {
            try server.respond(1, "HTTP/1.1 101 Switching Protocols\r\n\r\n", ends: false)
        }
        try server.stream(1).release()
    }

    @Test func `interim answers come before the final one`() throws {
        let server = try server()
        try server.respond(1, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", ends: false)
        try server.respond(1, "HTTP/1.1 204 No Content\r\n\r\n")
        #expect(server.output().map { $0.flags & RawFrame.endStream } == [0, 1])
        #expect(throws: HTTP2HeadFault.streamOver) { try server.respond(1) }
    }
}
