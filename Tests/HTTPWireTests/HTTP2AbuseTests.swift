// What a hostile peer can do within the grammar (RFC 9113 10.5), and how soon it is cut off, with
// counts; and that honest peers who do the same in moderation are not.

import HTTPWire
import Testing

@Suite struct HTTP2AbuseTests {
    private static let calm: UInt32 = 11

    /// How many times `frames` are sent before the connection ends, up to `most`.
    private func endurance(
        _ server: HTTP2Drive, most: Int, _ frames: (UInt32) -> [RawFrame]
    ) throws -> (count: Int, code: UInt32?) {
        for index in 0..<most {
            server.take(frames(UInt32(1 + 2 * index)).flatMap(\.bytes))
            if let code = server.output().goAway { return (index, code) }
        }
        return (most, nil)
    }

    @Test func `rapid reset is cut within 1000 streams`() throws {
        let server = try HTTP2Drive.server()
        let found = try endurance(server, most: 2_000) { [.headers($0, HPACK.get), .reset($0)] }
        #expect(found.code == Self.calm)
        #expect(found.count <= 1_000, "\(found.count)")
        #expect(server.session.isOver)
    }

    @Test func `resets that a peer makes us send are cut within 150`() throws {
        let server = try HTTP2Drive.server()
        let found = try endurance(server, most: 1_000) {
            [.headers($0, HPACK.get), .windowUpdate($0, 0x7FFF_FFFF)]
        }
        #expect(found.code == Self.calm)
        #expect(found.count <= 150, "\(found.count)")
    }

    @Test func `malformed heads are cut within 150`() throws {
        let server = try HTTP2Drive.server()
        let found = try endurance(server, most: 1_000) { [.headers($0, HPACK.get + [("A", "b")])] }
        #expect(found.code == Self.calm)
        #expect(found.count <= 150, "\(found.count)")
    }

    @Test func `data on streams that the peer has reset are cut within 150`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false), .reset(1))
        let found = try endurance(server, most: 1_000) { _ in [.data(1, "x")] }
        #expect(found.code == Self.calm)
        #expect(found.count <= 150, "\(found.count)")
    }

    /// What one read of everything makes the server say.
    private func output(
        _ server: HTTP2Drive, count: Int, _ frames: (UInt32) -> [RawFrame]
    ) -> [RawFrame] {
        server.take((0..<count).flatMap { frames(UInt32(1 + 2 * $0)).flatMap(\.bytes) })
        return server.output()
    }

    @Test func `rapid reset within one read is cut in its middle`() throws {
        let server = try HTTP2Drive.server()
        let frames = output(server, count: 3_000) { [.headers($0, HPACK.get), .reset($0)] }
        #expect(frames.goAway == Self.calm)
        #expect(frames.goAwayLast == 1_001)
    }

    @Test(arguments: ["window", "head", "late"])
    func `resets that one read makes us send are cut in its middle`(_ fault: String) throws {
        let server = try HTTP2Drive.server()
        let frames = output(server, count: 3_000) { id in
            switch fault {
            case "window": [.headers(id, HPACK.get), .windowUpdate(id, 0x7FFF_FFFF)]
            case "head": [.headers(id, HPACK.get + [("connection", "close")])]
            default: id == 1 ? [.headers(1, HPACK.post), .reset(1)] : [.data(1, "x")]
            }
        }
        #expect(frames.goAway == Self.calm)
        #expect(frames.resets.count <= 21)
        #expect(frames.goAwayLast ?? 0 <= 43)
    }

    @Test func `streams beyond a limit that is never acknowledged are cut in the middle`() throws {
        let server = try HTTP2Drive(server: HTTP2Options())
        server.take(RawFrame.preface + RawFrame.settings([]).bytes)
        let frames = output(server, count: 6_000) { [.headers($0, HPACK.post, ends: false)] }
        #expect(frames.goAway == Self.calm)
        #expect(frames.resets.values.allSatisfy { $0 == 7 })
        #expect(frames.resets.count <= 501, "\(frames.resets.count)")
        #expect(server.session.isOver)
    }

    @Test func `a burst of streams before the limit is known is refused and no more`() throws {
        let server = try HTTP2Drive(server: HTTP2Options())
        server.take(RawFrame.preface + RawFrame.settings([]).bytes)
        let frames = output(server, count: 128 + 400) { [.headers($0, HPACK.get)] }
        #expect(frames.goAway == nil)
        #expect(frames.resets.count == 400)
        server.take(.settingsAck)
        for id in stride(from: Int32(1), through: 255, by: 2) { try server.respond(id) }
        #expect(server.output().count(where: { $0.type == RawFrame.Kind.headers }) == 128)
        for stream in server.streams.values { stream.release() }
    }

    @Test func `resets of a client whose requests mostly end well are no abuse`() throws {
        let server = try HTTP2Drive.server()
        for index in 0..<5_000 {
            let id = UInt32(1 + 4 * index)
            server.take(.headers(id, HPACK.get), .headers(id + 2, HPACK.get))
            try server.respond(Int32(id))
            try server.stream(Int32(id)).release()
            server.take(.reset(id + 2))
            #expect(server.output().goAway == nil)
            try server.stream(Int32(id + 2)).release()
            server.streams.removeAll()
        }
    }

    @Test(arguments: [
        ("SETTINGS", RawFrame.settings()), ("PING", .ping()),
        ("an unknown frame", RawFrame(type: 0x42)),
        ("PRIORITY", RawFrame(type: 2, stream: 3, payload: [0, 0, 0, 0, 9])),
        ("PRIORITY_UPDATE", RawFrame(type: 16, payload: number(3) + Array("u=1".utf8))),
        ("WINDOW_UPDATE", .windowUpdate(0, 1)), ("GOAWAY", .goAway(last: 0)),
        ("empty DATA", .data(1, "")),
        ("padding as DATA", RawFrame(type: 0, flags: 8, stream: 1, payload: [1, 0])),
    ])
    func `a flood of frames that move nothing is cut`(_ name: String, _ frame: RawFrame) throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        let found = try endurance(server, most: 5_000) { _ in [frame] }
        #expect(found.code == Self.calm, "\(name)")
        #expect(found.count <= 1_100, "\(found.count)")
    }

    @Test func `a flood that nobody reads the answers of is cut`() throws {
        let server = try HTTP2Drive.server()
        server.take((0..<1_000).flatMap { _ in RawFrame.ping().bytes })
        #expect(server.session.fault == .enhanceYourCalm)
        #expect(server.output().goAway == Self.calm)
    }

    @Test func `frames that nobody reads end the connection, whatever they are`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        for _ in 0..<8_192 { try server.respond(1, "HTTP/1.1 102 \r\n\r\n", ends: false) }
        server.take(.windowUpdate(0, 1))
        #expect(server.session.fault == nil)
        try server.respond(1, "HTTP/1.1 102 \r\n\r\n", ends: false)
        server.take(.windowUpdate(0, 1))
        #expect(server.session.fault == .enhanceYourCalm)
        try server.stream(1).release()
    }

    @Test func `a minute's pings are no flood`() throws {
        let server = try HTTP2Drive.server()
        for _ in 0..<6_000 {
            server.now += 10_000_000
            server.take(.ping())
            #expect(server.output().goAway == nil)
        }
    }

    @Test func `a client that answers each piece with two windows and a ping may`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        try server.respond(1, ends: false)
        for _ in 0..<20_000 {
            _ = try server.send(1, "token")
            server.take(.windowUpdate(1, 5), .windowUpdate(0, 5), .ping())
            #expect(server.output().goAway == nil)
        }
    }

    @Test(arguments: [(1, 65_536), (1_000, 65_536), (16_384, 131_072), (16_384, 1_024)])
    func `CONTINUATION is cut at 64 KiB, or what a head may have if that is more`(
        _ size: Int, _ most: Int
    ) throws {
        var options = HTTP2Options()
        options.headBytes = most
        let server = try HTTP2Drive.server(options)
        server.take(.headers(1, HPACK.get, flags: 0))
        var sent = 0
        var code: UInt32?
        while code == nil, sent < 1_000_000 {
            let part = RawFrame(
                type: 9, stream: 1,
                payload: HPACK.literal("x", String(repeating: "y", count: size - 1)))
            server.take(part)
            sent += part.bytes.count
            code = server.output().goAway
        }
        #expect(code == Self.calm)
        #expect(sent <= max(65_536, most) + size + 20, "\(sent)")
    }

    @Test func `CONTINUATION of a block that is ignored is cut, too`() throws {
        let server = try HTTP2Drive.server()
        server.take(
            .headers(1, HPACK.get, ends: false), .reset(1), .headers(1, HPACK.get, flags: 0))
        let found = try endurance(server, most: 100_000) { _ in [RawFrame(type: 9, stream: 1)] }
        #expect(found.code == Self.calm)
        #expect(found.count <= 65_536 / 9)
    }

    @Test func `more streams than allowed are refused`() throws {
        let server = try HTTP2Drive.server()
        for index in 0..<128 { server.take(.headers(UInt32(1 + 2 * index), HPACK.get)) }
        #expect(server.session.streamCount == 128)
        server.take(.headers(1 + 2 * 128, HPACK.get))
        let frames = server.output()
        #expect(frames.goAway == 1 || frames.resets.values.contains(7))
        #expect(server.session.streamCount <= 128)
    }

    /// A field of 4,000 bytes, and `count` single bytes that name it again.
    private func expanding(_ count: Int, stream: UInt32 = 1) -> RawFrame {
        let big = HPACK.literal("x", String(repeating: "y", count: 4_000), form: 0x40)
        let block = HPACK.block(HPACK.get) + big + Array(repeating: 0xBE, count: count)
        return RawFrame(type: 1, flags: 5, stream: stream, payload: block)
    }

    @Test func `a head of one-byte fields that expand is bounded`() throws {
        let server = try HTTP2Drive.server()
        #expect(server.take(expanding(500)) == [.headTooLarge(1)])
        #expect(server.output().goAway == nil)
        try server.stream(1).release()
    }

    @Test func `one that expands to more than an honest head could ends the connection`() throws {
        let server = try HTTP2Drive.server()
        #expect(server.take(expanding(10_000)).isEmpty)
        #expect(server.output().goAway == Self.calm)
        #expect(server.session.isOver)
    }

    @Test func `heads that are too large one after the other end it, too`() throws {
        let server = try HTTP2Drive.server()
        let found = try endurance(server, most: 1_000) { [expanding(25, stream: $0)] }
        #expect(found.code == Self.calm)
        // 40 KB each are beyond the limit, and streams answered with nothing stay open: 128.
        #expect((90...120).contains(found.count), "\(found.count)")
    }

    @Test(arguments: [(65_536, 60_000), (262_144, 200_000)])
    func `a head that is allowed fits though nothing of it is compressed`(
        _ most: Int, _ size: Int
    ) throws {
        var options = HTTP2Options()
        options.headBytes = most
        let server = try HTTP2Drive.server(options)
        let value = String(repeating: "v", count: 10_000)
        let block = HPACK.block(HPACK.get + (0..<(size / 10_000)).map { ("x\($0)", value) })
        var frames = stride(from: 0, to: block.count, by: 16_384).map {
            RawFrame(
                type: 9, stream: 1, payload: Array(block[$0..<min($0 + 16_384, block.count)]))
        }
        frames[0].type = 1
        frames[0].flags = 1
        frames[frames.count - 1].flags |= 4
        let seen = server.take(frames.flatMap(\.bytes))
        #expect(server.session.fault == nil)
        guard case .head = seen.first else {
            Issue.record("\(seen)")
            return
        }
        try server.stream(1).release()
    }

    @Test(arguments: [
        (RawFrame.data(1, ""), 1_000), (RawFrame(type: 1, flags: 4, stream: 1), 100),
        (RawFrame.data(1, "x"), 10_000),
    ])
    func `what comes for a stream that we have ended is counted`(
        _ frame: RawFrame, _ most: Int
    ) throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        try server.respond(1)
        try server.stream(1).release()
        #expect(server.output().resets == [1: 0])
        let found = try endurance(server, most: 20_000) { _ in [frame] }
        #expect(found.code == Self.calm)
        #expect((most / 2...most + 1).contains(found.count), "\(found.count)")
    }

    @Test func `what a replica sends beyond the window of a stream that we have ended is counted`()
        throws
    {
        for frame in [RawFrame.data(1, ""), .data(1, "x"), .headers(1, [(":status", "200")])] {
            let client = try HTTP2Drive.client()
            let stream = try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = client.output()
            stream.reset(.cancel)
            _ = client.output()
            let found = try endurance(client, most: 80_000) { _ in [frame] }
            #expect(found.code == Self.calm)
        }
    }

    @Test func `a body that is on its way when we end its stream is no abuse`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        try server.respond(1)
        try server.stream(1).release()
        _ = server.output()
        for _ in 0..<2_600 { server.take(.data(1, count: 100)) }
        server.take(.data(1, "", ends: true))
        #expect(server.output().goAway == nil)
    }

    @Test func `more bytes than the windows allow end the stream or the connection`() throws {
        let server = try HTTP2Drive.server()
        server.consumes = false
        server.take(.headers(1, HPACK.post, ends: false))
        var frames: [RawFrame] = []
        for _ in 0..<17 {
            server.take(.data(1, count: 16_384))
            frames += server.output()
        }
        #expect(frames.resets == [1: 3])
        #expect(server.notices() == [.reset(1, 3)])
        try server.stream(1).release()
    }

    @Test func `what nobody consumes stops the peer at the stream's window`() throws {
        let server = try HTTP2Drive.server()
        server.consumes = false
        server.take(.headers(1, HPACK.post, ends: false))
        for _ in 0..<16 { server.take(.data(1, count: 16_384)) }
        #expect(server.output().only(RawFrame.Kind.windowUpdate).isEmpty)
        try server.stream(1).consume(200_000)
        let updates = server.output().only(RawFrame.Kind.windowUpdate)
        #expect(updates.map(\.value) == [200_000])
        try server.stream(1).reset(.cancel)
        // The connection's share comes back with the stream's end: half of it is used up.
        #expect(server.output().only(RawFrame.Kind.windowUpdate).isEmpty)
    }

    @Test func `malformed answers end a replica's connection with its last stream`() throws {
        let client = try HTTP2Drive.client()
        let streams = try (0..<100).map { _ in
            try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        }
        _ = client.output()
        var frames: [RawFrame] = []
        for stream in streams.dropLast() {
            client.take(.headers(UInt32(stream.id), [(":status", "200"), ("A", "b")]))
            frames += client.output()
        }
        #expect(frames.goAway == 0 && client.session.fault == nil)
        #expect(client.session.isLeaving && !client.session.canRequest)
        let last = try #require(streams.last)
        let seen = client.take(.headers(UInt32(last.id), [(":status", "200")], ends: true))
        #expect(seen.first == .head(last.id, "HTTP/1.1 200 \r\n\r\n", ends: true))
        _ = client.output()
        for stream in streams { stream.release() }
        #expect(client.session.isOver)
    }

    @Test func `faults without end on one stream end a replica's connection at once`() throws {
        let client = try HTTP2Drive.client()
        try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        _ = client.output()
        let flood = (0..<1_000).flatMap { _ in RawFrame.windowUpdate(1, 0x7FFF_FFFF).bytes }
        client.take(flood)
        #expect(client.session.fault?.rawValue == Self.calm)
    }

    @Test func `a replica is held to the same`() throws {
        let client = try HTTP2Drive.client()
        let found = try endurance(client, most: 5_000) { _ in [.ping()] }
        #expect(found.code == Self.calm)
    }
}
