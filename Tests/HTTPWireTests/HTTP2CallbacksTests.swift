// The client's role: what a replica may say, and what becomes of requests when it goes away.
// Frames are made by hand.

import HTTPWire
import Testing

@Suite struct HTTP2CallbacksTests {
    private static let head = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    private static let ok = [(":status", "200")]

    @Test func `3_4 a client begins with the preface and SETTINGS`() throws {
        let client = try HTTP2Drive(client: HTTP2Options())
        let bytes = client.outputBytes()
        #expect(bytes.starts(with: RawFrame.preface))
        let first = RawFrame.parse(Array(bytes.dropFirst(24))).first
        #expect(first?.type == RawFrame.Kind.settings)
        // 8.4: no push.
        #expect(first?.payload.starts(with: [0, 6]) == true)
        #expect(
            stride(from: 0, to: first?.payload.count ?? 0, by: 6).contains {
                first?.payload[$0 + 1] == 2 && RawFrame.value(first?.payload ?? [], $0 + 2) == 0
            })
    }

    @Test func `a final answer follows interim ones`() throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        _ = client.output()
        let seen = client.take(
            .headers(1, [(":status", "100")], ends: false),
            .headers(1, [(":status", "103"), ("link", "x")], ends: false),
            .headers(1, [(":status", "200"), ("content-length", "2")], ends: false),
            .data(1, "hi"), .headers(1, [("x-sum", "1")]))
        #expect(
            seen == [
                .interim(1, "HTTP/1.1 100 \r\n\r\n"),
                .interim(1, "HTTP/1.1 103 \r\nlink: x\r\n\r\n"),
                .head(1, "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\n", ends: false),
                .data(1, "hi", ends: false), .trailers(1, "x-sum: 1\r\n\r\n"),
            ])
        #expect(client.session.streamCount == 0)
        try client.stream(1).release()
    }

    @Test func `answers that have no body are not announced as chunked`() throws {
        for (method, status) in [("HEAD", "200"), ("GET", "204"), ("GET", "304")] {
            let client = try HTTP2Drive.client()
            try client.request("\(method) / HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = client.output()
            let seen = client.take(
                .headers(1, [(":status", status)], ends: false), .data(1, "", ends: true))
            #expect(seen == [.head(1, "HTTP/1.1 \(status) \r\n\r\n", ends: false), .end(1)])
            try client.stream(1).release()
        }
    }

    @Test(arguments: [
        [(":status", "20")], [(":status", "101")], [("x", "y")], [(":status", "200"), ("X", "y")],
        [(":status", "200"), ("connection", "close")], [(":status", "200"), (":path", "/")],
        [(":status", "200"), ("transfer-encoding", "chunked")], [(":status", "abc")],
        [(":status", "200"), ("x", "a\r\nb: c")], [(":status", "200"), (":status", "200")],
        [(":status", "200"), ("content-length", "1"), ("content-length", "1")],
    ])
    func `8_3_2 a malformed answer resets its stream`(_ fields: [(String, String)]) throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        _ = client.output()
        let seen = client.take(.headers(1, fields, ends: false))
        #expect(client.output().resets == [1: 1])
        #expect(seen + client.notices() == [.reset(1, 1)])
        try client.stream(1).release()
        #expect(client.session.canRequest)
    }

    @Test(arguments: [[9], [1, 2, 3]])
    func `8_1_1 an answer whose length is not what it said is reset`(_ pieces: [Int]) throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        _ = client.output()
        client.take(.headers(1, Self.ok + [("content-length", "8")], ends: false))
        for count in pieces { client.take(.data(1, count: count)) }
        client.take(.data(1, "", ends: true))
        #expect(client.output().resets == [1: 1])
        #expect(client.notices() == [.reset(1, 1)])
        try client.stream(1).release()
    }

    @Test func `8_4 a push ends the connection`() throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        _ = client.output()
        client.take(
            RawFrame(
                type: 5, flags: 4, stream: 1, payload: [0, 0, 0, 2] + HPACK.block(HPACK.get)))
        #expect(client.output().goAway == 1)
        #expect(client.session.isOver)
        try client.stream(1).release()
    }

    @Test func `5_1_2 no more streams than the replica allows`() throws {
        let client = try HTTP2Drive.client(settings: [(3, 2)])
        for _ in 0..<2 { try client.request(Self.head) }
        #expect(!client.session.canRequest)
        #expect(throws: HTTP2HeadFault.streamOver) { try client.request(Self.head) }
        _ = client.output()
        client.take(.headers(1, Self.ok))
        #expect(client.session.canRequest)
        for id in [Int32(1), 3] { try client.stream(id).release() }
    }

    @Test func `6_8 streams that GOAWAY leaves out may be sent again`() throws {
        let client = try HTTP2Drive.client()
        for _ in 0..<3 { try client.request(Self.head) }
        _ = client.output()
        let seen = client.take(.goAway(last: 1), .headers(1, Self.ok))
        #expect(
            Set(seen.map { "\($0)" })
                == Set(
                    [
                        Seen.head(1, "HTTP/1.1 200 \r\n\r\n", ends: true), .reset(3, 7),
                        .reset(5, 7),
                    ].map { "\($0)" }))
        #expect(HTTP2ErrorCode.refusedStream.isUnprocessed)
        #expect(!client.session.canRequest)
        #expect(client.session.peerGoAway?.lastStream == 1)
        #expect(client.session.peerGoAway?.code == .noError)
        for id in [Int32(1), 3, 5] { try client.stream(id).release() }
        #expect(client.session.isOver)
    }

    @Test func `a request that never left may be sent again`() throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        client.take(.goAway(last: 0))
        _ = client.output()
        #expect(client.notices() == [.reset(1, 7)])
        try client.stream(1).release()
    }

    @Test func `a request that is let go of is reset, or never sent`() throws {
        let client = try HTTP2Drive.client()
        try client.request(Self.head)
        _ = client.output()
        try client.stream(1).release()
        #expect(client.output().resets == [1: 8])
        try client.request(Self.head)
        try client.stream(3).release()
        let frames = client.output()
        #expect(frames.only(RawFrame.Kind.headers).isEmpty || frames.resets[3] == 8)
        #expect(client.session.streamCount == 0)
    }

    @Test func `a request's body may be sent before SETTINGS came`() throws {
        let client = try HTTP2Drive(client: HTTP2Options())
        try client.request("POST / HTTP/1.1\r\nhost: a\r\n\r\n", ends: false)
        #expect(!client.session.hasPeerSettings)
        #expect(try client.stream(1).writable == 65_535)
        let bytes = try client.sendBytes(1, Array("body".utf8), ends: true)
        let frames = RawFrame.parse(Array(bytes.dropFirst(24)))
        #expect(frames.last == .data(1, "body", ends: true))
        try client.stream(1).release()
    }

    // MARK: Endings

    @Test func `6_8 a shutdown is announced, then made final`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        server.session.announceShutdown()
        let notice = server.output().first(RawFrame.Kind.goAway)
        #expect(notice?.value == 0x7FFF_FFFF)
        server.take(.headers(3, HPACK.get))
        server.session.goAway()
        #expect(server.output().first(RawFrame.Kind.goAway)?.value == 3)
        // Later ones are not taken, and need no answer.
        #expect(server.take(.headers(5, HPACK.get)).isEmpty)
        #expect(!server.session.isOver)
        for id in [Int32(1), 3] {
            try server.respond(id)
            try server.stream(id).release()
        }
        #expect(server.output().only(RawFrame.Kind.headers).count == 2)
        #expect(server.session.isOver)
    }

    @Test func `6_7 a ping is answered`() throws {
        let server = try HTTP2Drive.server()
        server.take(.ping(0x0102_0304_0506_0708))
        #expect(server.output() == [.ping(0x0102_0304_0506_0708, ack: true)])
    }

    @Test func `6_5 whoever is asked for a sign of life has something to acknowledge`() throws {
        let client = try HTTP2Drive.client()
        client.session.ask()
        client.session.ask()
        #expect(client.output() == [.settings(), .settings()])
        #expect(client.take(.settingsAck, .settingsAck).isEmpty)
        #expect(client.session.fault == nil)
    }

    @Test func `a fault ends what is under way, and its owner finds every stream`() throws {
        let server = try HTTP2Drive.server()
        for id in [UInt32(1), 3] { server.take(.headers(id, HPACK.get)) }
        server.take(.data(0, "x"))
        #expect(server.output().goAway == 1)
        #expect(server.session.fault == .protocolError)
        #expect(server.session.isOver)
        var found: [Int32] = []
        while let stream = server.session.anyStream {
            found.append(stream.id)
            stream.reset(.cancel)
        }
        #expect(found.sorted() == [1, 3])
        #expect(server.take(.headers(5, HPACK.get)).isEmpty)
    }

    @Test func `an owner may end a session itself`() throws {
        let server = try HTTP2Drive.server()
        server.session.terminate(.enhanceYourCalm)
        #expect(server.output().goAway == 11)
        #expect(server.session.isOver)
    }
}
