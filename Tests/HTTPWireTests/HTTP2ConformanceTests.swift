// RFC 9113 clause by clause, from the side that a proxy's clients see: what must be refused, with
// which code and how far, and what must not be. Frames are made by hand.

import HTTPWire
import Testing

/// What a peer's bytes come to.
enum WireOutcome: Equatable, Sendable {
    /// GOAWAY with one of these codes, and nothing after it.
    case connection([UInt32])
    /// RST_STREAM of this stream with one of these codes; the connection lives.
    case stream(UInt32, [UInt32])
    /// Neither.
    case fine
}

struct WireCase: Sendable, CustomTestStringConvertible {
    let clause: String
    let outcome: WireOutcome
    let bytes: [UInt8]
    let settings: [(UInt16, UInt32)]

    init(
        _ clause: String, _ outcome: WireOutcome, settings: [(UInt16, UInt32)] = [],
        _ frames: RawFrame...
    ) {
        self.clause = clause
        self.outcome = outcome
        self.settings = settings
        bytes = frames.flatMap(\.bytes)
    }

    var testDescription: String { clause }

    /// Sends it to a server whole or byte by byte, and answers each request on the way.
    func run(bytewise: Bool) throws -> (outcome: WireOutcome, seen: [Seen]) {
        let server = try HTTP2Drive.server(settings: settings)
        var seen: [Seen] = []
        var frames: [RawFrame] = []
        for piece in bytewise ? bytes.map({ [$0] }) : [bytes] {
            seen += server.take(piece)
            frames += server.output()
            seen += server.notices()
        }
        if let code = frames.goAway {
            #expect(frames.last?.type == RawFrame.Kind.goAway, "\(clause): GOAWAY is the last word")
            #expect(server.session.isOver, "\(clause): the connection is to be closed")
            #expect(server.session.fault?.rawValue == code, "\(clause)")
            return (.connection([code]), seen)
        }
        #expect(server.session.fault == nil, "\(clause)")
        // It still works.
        let next = server.take(.headers(1_001, HPACK.get)).first
        guard case .head(1_001, _, _) = next else { throw NotServed(clause: clause) }
        if let (stream, code) = frames.resets.first { return (.stream(stream, [code]), seen) }
        return (.fine, seen)
    }
}

struct NotServed: Error { let clause: String }

extension WireOutcome {
    func allows(_ found: WireOutcome) -> Bool {
        switch (self, found) {
        case (.connection(let codes), .connection(let code)): codes.contains(code[0])
        case (.stream(let id, let codes), .stream(let other, let code)):
            id == other && codes.contains(code[0])
        // An endpoint may treat a stream error as a connection error (5.4.2).
        case (.stream(_, let codes), .connection(let code)): codes.contains(code[0])
        default: self == found
        }
    }
}

private let protocolError: UInt32 = 1
private let flowControl: UInt32 = 3
private let streamClosed: UInt32 = 5
private let frameSize: UInt32 = 6
private let refused: UInt32 = 7
private let compression: UInt32 = 9

@Suite struct HTTP2ConformanceTests {
    @Test(arguments: framing + states + settings + flow + frames + messages)
    func `a client gets what the clause says`(_ row: WireCase) throws {
        let whole = try row.run(bytewise: false)
        #expect(row.outcome.allows(whole.outcome), "\(whole.outcome) \(whole.seen)")
        let bytewise = try row.run(bytewise: true)
        #expect(row.outcome.allows(bytewise.outcome), "byte by byte: \(bytewise.outcome)")
    }

    @Test func `3_4 a preface that is none ends the connection`() throws {
        let server = try HTTP2Drive()
        server.take(Array("INVALID CONNECTION PREFACE\r\n\r\n".utf8))
        #expect(server.output().goAway == protocolError)
        #expect(server.session.isOver)
    }

    @Test func `3_4 the first frame has to be SETTINGS`() throws {
        let server = try HTTP2Drive()
        server.take(RawFrame.preface + RawFrame.ping().bytes)
        #expect(server.output().goAway == protocolError)
    }

    @Test func `3_4 a server begins with its SETTINGS`() throws {
        let server = try HTTP2Drive()
        #expect(server.output().first?.type == RawFrame.Kind.settings)
    }

    static let framing: [WireCase] = [
        WireCase("4.1 an unknown type is ignored", .fine, RawFrame(type: 0x16, payload: [0])),
        WireCase(
            "4.1 undefined flags are ignored", .fine,
            {
                var ping = RawFrame.ping()
                ping.flags = 0x16
                return ping
            }()),
        WireCase(
            "4.1 the reserved bit is ignored", .fine,
            {
                var frame = RawFrame.ping()
                frame.stream = 0x8000_0000
                return frame
            }()),
        WireCase(
            "4.2 a frame of 2^14 bytes is taken", .fine,
            .headers(1, HPACK.post, ends: false), .data(1, count: 16_384, ends: true)),
        WireCase(
            "4.2 data beyond the largest frame", .stream(1, [frameSize]),
            .headers(1, HPACK.post, ends: false), .data(1, count: 16_385, ends: true)),
        WireCase(
            "4.2 a head beyond the largest frame", .connection([frameSize]),
            .headers(1, HPACK.get + [("x", String(repeating: "a", count: 16_400))])),
        WireCase(
            "4.3 a header block that cannot be read", .connection([compression]),
            RawFrame(
                type: RawFrame.Kind.headers, flags: 5, stream: 1,
                payload: HPACK.block(HPACK.get) + [0x40])),
        WireCase(
            "4.3 PRIORITY within a header block", .connection([protocolError]),
            .headers(1, HPACK.get, flags: 0),
            RawFrame(type: RawFrame.Kind.priority, stream: 1, payload: [0, 0, 0, 0, 255])),
        WireCase(
            "4.3 another stream's HEADERS within a header block", .connection([protocolError]),
            .headers(1, HPACK.get, flags: 0), .headers(3, HPACK.get)),
        WireCase(
            "5.5 an extension frame is ignored", .fine, RawFrame(type: 0xFF, payload: [1, 2])),
        WireCase(
            "5.5 an extension frame within a header block", .connection([protocolError]),
            .headers(1, HPACK.get, flags: 0), RawFrame(type: 0x16, payload: [0])),
    ]

    static let states: [WireCase] = [
        WireCase("5.1 idle: DATA", .connection([protocolError, streamClosed]), .data(1, "x")),
        WireCase("5.1 idle: RST_STREAM", .connection([protocolError]), .reset(1)),
        WireCase("5.1 idle: WINDOW_UPDATE", .connection([protocolError]), .windowUpdate(1, 1)),
        WireCase(
            "5.1 idle: CONTINUATION", .connection([protocolError]),
            RawFrame(
                type: RawFrame.Kind.continuation, flags: 4, stream: 1,
                payload: HPACK.block(HPACK.get))),
        WireCase(
            "5.1 half-closed by the client: DATA", .stream(1, [streamClosed]),
            .headers(1, HPACK.get), .data(1, "x", ends: true)),
        WireCase(
            "5.1 half-closed by the client: HEADERS", .stream(1, [streamClosed]),
            .headers(1, HPACK.get), .headers(1, HPACK.get)),
        WireCase(
            "5.1 half-closed by the client: CONTINUATION",
            .connection([streamClosed, protocolError]), .headers(1, HPACK.get),
            RawFrame(
                type: RawFrame.Kind.continuation, flags: 4, stream: 1,
                payload: HPACK.block(HPACK.get))),
        WireCase(
            "5.1 reset by the client: DATA", .stream(1, [streamClosed]),
            .headers(1, HPACK.get, ends: false), .reset(1), .data(1, "x")),
        WireCase(
            "5.1 reset by the client: HEADERS", .stream(1, [streamClosed]),
            .headers(1, HPACK.get, ends: false), .reset(1), .headers(1, HPACK.get)),
        WireCase(
            "5.1 reset by the client: CONTINUATION",
            .connection([streamClosed, protocolError]),
            .headers(1, HPACK.get, ends: false), .reset(1),
            RawFrame(type: RawFrame.Kind.continuation, flags: 4, stream: 1)),
        WireCase(
            "5.1 reset by the client: PRIORITY", .fine,
            .headers(1, HPACK.get, ends: false), .reset(1),
            RawFrame(type: RawFrame.Kind.priority, stream: 1, payload: [0, 0, 0, 0, 255])),
        WireCase(
            "5.1 reset by the client: WINDOW_UPDATE", .fine,
            .headers(1, HPACK.get, ends: false), .reset(1), .windowUpdate(1, 5)),
        WireCase("5.1.1 an even stream", .connection([protocolError]), .headers(2, HPACK.get)),
        WireCase(
            "5.1.1 a stream that was skipped: HEADERS", .connection([protocolError]),
            .headers(5, HPACK.get), .headers(3, HPACK.get)),
        WireCase(
            "5.1.1 a stream that was skipped: DATA", .connection([protocolError]),
            .headers(5, HPACK.get), .headers(9, HPACK.get), .data(7, "x")),
        WireCase(
            "5.3.1 HEADERS that depend on themselves", .stream(1, [protocolError]),
            RawFrame(
                type: RawFrame.Kind.headers, flags: 0x25, stream: 1,
                payload: [0, 0, 0, 1, 255] + HPACK.block(HPACK.get))),
        WireCase(
            "5.3.2 a HEADERS priority is ignored", .fine,
            RawFrame(
                type: RawFrame.Kind.headers, flags: 0x25, stream: 1,
                payload: [0, 0, 0, 0, 255] + HPACK.block(HPACK.get))),
        WireCase(
            "5.4.1 an invalid PING ends the connection", .connection([protocolError]),
            RawFrame(type: RawFrame.Kind.ping, stream: 3, payload: Array(repeating: 0, count: 8))),
    ]

    static let settings: [WireCase] = [
        WireCase(
            "6.5 an acknowledgement with a payload", .connection([frameSize]),
            RawFrame(type: RawFrame.Kind.settings, flags: 1, payload: [0, 0, 0, 0, 0, 0])),
        WireCase(
            "6.5 SETTINGS on a stream", .connection([protocolError]),
            RawFrame(type: RawFrame.Kind.settings, stream: 1)),
        WireCase(
            "6.5 a length that is not a multiple of six", .connection([frameSize]),
            RawFrame(type: RawFrame.Kind.settings, payload: [0, 3, 0])),
        WireCase("6.5.2 ENABLE_PUSH of 2", .connection([protocolError]), .settings([(2, 2)])),
        WireCase(
            "6.5.2 a window beyond 2^31 - 1", .connection([flowControl]),
            .settings([(4, 0x8000_0000)])),
        WireCase(
            "6.5.2 a largest frame below 2^14", .connection([protocolError]),
            .settings([(5, 16_383)])),
        WireCase(
            "6.5.2 a largest frame beyond 2^24 - 1", .connection([protocolError]),
            .settings([(5, 0x0100_0000)])),
        WireCase("6.5.2 an unknown setting is ignored", .fine, .settings([(0xFF, 1)])),
        WireCase(
            "6.5.2 too many settings", .connection([11]),
            .settings(Array(repeating: (0xFF, 1), count: 33))),
        WireCase(
            "8441 3 ENABLE_CONNECT_PROTOCOL of 2", .connection([protocolError]),
            .settings([(8, 2)])),
        WireCase(
            "9218 2.1 NO_RFC7540_PRIORITIES of 2", .connection([protocolError]),
            .settings([(9, 2)])),
    ]

    static let flow: [WireCase] = [
        WireCase(
            "6.9 an increment of 0 on the connection", .connection([protocolError]),
            .windowUpdate(0, 0)),
        WireCase(
            "6.9 an increment of 0 on a stream", .stream(1, [protocolError]),
            .headers(1, HPACK.get), .windowUpdate(1, 0)),
        WireCase(
            "6.9 WINDOW_UPDATE of three bytes", .connection([frameSize]),
            RawFrame(type: RawFrame.Kind.windowUpdate, payload: [0, 0, 1])),
        WireCase(
            "6.9.1 a connection's window beyond 2^31 - 1", .connection([flowControl]),
            .windowUpdate(0, 0x7FFF_FFFF), .windowUpdate(0, 0x7FFF_FFFF)),
        WireCase(
            "6.9.1 a stream's window beyond 2^31 - 1", .stream(1, [flowControl]),
            .headers(1, HPACK.get), .windowUpdate(1, 0x7FFF_FFFF),
            .windowUpdate(1, 0x7FFF_FFFF)),
        WireCase(
            "6.9.2 a window beyond 2^31 - 1 by SETTINGS", .stream(1, [flowControl]),
            .headers(1, HPACK.get), .windowUpdate(1, 0x7FFF_0000), .settings([(4, 0x7FFF_FFFF)])),
    ]

    static let frames: [WireCase] = [
        WireCase("6.1 DATA on stream 0", .connection([protocolError]), .data(0, "x")),
        WireCase(
            "6.1 padding longer than the frame", .connection([protocolError]),
            .headers(1, HPACK.post, ends: false),
            RawFrame(type: 0, flags: 8, stream: 1, payload: [6, 0x61, 0x61, 0, 0])),
        WireCase(
            "6.1 padding is taken off", .fine, .headers(1, HPACK.post, ends: false),
            RawFrame(type: 0, flags: 9, stream: 1, payload: [2, 0x61, 0x61, 0, 0])),
        WireCase("6.2 HEADERS on stream 0", .connection([protocolError]), .headers(0, HPACK.get)),
        WireCase(
            "6.2 padding longer than the head", .connection([protocolError]),
            RawFrame(type: 1, flags: 0x0D, stream: 1, payload: [200] + HPACK.block(HPACK.get))),
        WireCase(
            "6.3 PRIORITY on stream 0", .connection([protocolError]),
            RawFrame(type: 2, payload: [0, 0, 0, 1, 255])),
        WireCase(
            "6.3 PRIORITY of four bytes", .stream(1, [frameSize]),
            .headers(1, HPACK.get), RawFrame(type: 2, stream: 1, payload: [0, 0, 0, 1])),
        WireCase(
            "6.3 PRIORITY of an idle stream is ignored", .fine,
            RawFrame(type: 2, stream: 7, payload: [0, 0, 0, 0, 1])),
        WireCase("6.4 RST_STREAM on stream 0", .connection([protocolError]), .reset(0)),
        WireCase(
            "6.4 RST_STREAM of three bytes", .connection([frameSize]),
            .headers(1, HPACK.get), RawFrame(type: 3, stream: 1, payload: [0, 0, 0])),
        WireCase("6.7 an unexpected answer to PING is ignored", .fine, .ping(3, ack: true)),
        WireCase(
            "6.7 PING of seven bytes", .connection([frameSize]),
            RawFrame(type: 6, payload: [0, 0, 0, 0, 0, 0, 0])),
        WireCase(
            "6.8 GOAWAY on a stream", .connection([protocolError]),
            RawFrame(type: 7, stream: 1, payload: Array(repeating: 0, count: 8))),
        WireCase(
            "6.8 GOAWAY of seven bytes", .connection([frameSize]),
            RawFrame(type: 7, payload: Array(repeating: 0, count: 7))),
        WireCase(
            "6.10 CONTINUATION on stream 0", .connection([protocolError]),
            .headers(1, HPACK.get, flags: 0), RawFrame(type: 9, flags: 4)),
        WireCase(
            "6.10 CONTINUATION after a complete head", .connection([protocolError]),
            .headers(1, HPACK.get), RawFrame(type: 9, flags: 4, stream: 1)),
        WireCase(
            "6.10 DATA between HEADERS and CONTINUATION", .connection([protocolError]),
            .headers(1, HPACK.get, flags: 0), .data(1, "x")),
        WireCase(
            "7 RST_STREAM with an unknown code", .fine,
            .headers(1, HPACK.get, ends: false), .reset(1, 0xFF)),
        WireCase(
            "8.4 PUSH_PROMISE from a client", .connection([protocolError]),
            .headers(1, HPACK.get),
            RawFrame(type: 5, flags: 4, stream: 1, payload: [0, 0, 0, 2])),
        WireCase(
            "9218 7.1 PRIORITY_UPDATE on a stream", .connection([protocolError]),
            RawFrame(type: 16, stream: 1, payload: [0, 0, 0, 1] + Array("u=1".utf8))),
        WireCase(
            "9218 7.1 PRIORITY_UPDATE of stream 0", .connection([protocolError]),
            RawFrame(type: 16, payload: [0, 0, 0, 0] + Array("u=1".utf8))),
        WireCase(
            "9218 7.1 PRIORITY_UPDATE is taken", .fine,
            RawFrame(type: 16, payload: [0, 0, 0, 9] + Array("u=1, i".utf8))),
    ]

    static func malformed(_ clause: String, _ fields: [(String, String)]) -> WireCase {
        WireCase(clause, .stream(1, [protocolError]), .headers(1, fields))
    }

    static let messages: [WireCase] = [
        WireCase(
            "8.1 a second head that does not end the stream", .stream(1, [protocolError]),
            .headers(1, HPACK.post, ends: false), .headers(1, [("x", "y")], ends: false)),
        WireCase(
            "8.1 trailers end the stream", .fine,
            .headers(1, HPACK.post, ends: false), .data(1, "a"), .headers(1, [("x", "y")])),
        WireCase(
            "8.1 a pseudo-header field in trailers", .stream(1, [protocolError]),
            .headers(1, HPACK.post, ends: false), .headers(1, [(":method", "GET")])),
        malformed("8.2.1 an upper-case name", HPACK.get + [("X-Test", "ok")]),
        malformed("8.2.1 a name with a space", HPACK.get + [("x test", "ok")]),
        malformed("8.2.1 an empty name", HPACK.get + [("", "ok")]),
        malformed("8.2.1 a name with a colon", HPACK.get + [("x:y", "ok")]),
        malformed("8.2.1 a name beyond ASCII", HPACK.get + [("x\u{e9}", "ok")]),
        malformed("8.2.1 NUL in a value", HPACK.get + [("x", "a\0b")]),
        malformed("8.2.1 CR in a value", HPACK.get + [("x", "a\rb")]),
        malformed("8.2.1 LF in a value", HPACK.get + [("x", "a\nhost: b")]),
        malformed("8.2.1 a space before a value", HPACK.get + [("x", " a")]),
        malformed("8.2.1 a tab after a value", HPACK.get + [("x", "a\t")]),
        malformed("8.2.2 connection", HPACK.get + [("connection", "keep-alive")]),
        malformed("8.2.2 keep-alive", HPACK.get + [("keep-alive", "timeout=5")]),
        malformed("8.2.2 proxy-connection", HPACK.get + [("proxy-connection", "close")]),
        malformed("8.2.2 transfer-encoding", HPACK.get + [("transfer-encoding", "chunked")]),
        malformed("8.2.2 upgrade", HPACK.get + [("upgrade", "h2c")]),
        malformed("8.2.2 te other than trailers", HPACK.get + [("te", "trailers, deflate")]),
        WireCase("8.2.2 te: trailers", .fine, .headers(1, HPACK.get + [("te", "trailers")])),
        malformed("8.3 an unknown pseudo-header field", HPACK.get + [(":test", "ok")]),
        malformed("8.3 an answer's pseudo-header field", HPACK.get + [(":status", "200")]),
        malformed("8.3 a pseudo-header field after others", [("x", "y")] + HPACK.get),
        malformed("8.3.1 no :method", Array(HPACK.get.dropFirst())),
        malformed("8.3.1 no :scheme", HPACK.get.filter { $0.0 != ":scheme" }),
        malformed("8.3.1 no :path", HPACK.get.filter { $0.0 != ":path" }),
        malformed("8.3.1 an empty :path", HPACK.get.map { $0.0 == ":path" ? ($0.0, "") : $0 }),
        malformed("8.3.1 a relative :path", HPACK.get.map { $0.0 == ":path" ? ($0.0, "x") : $0 }),
        malformed("8.3.1 * for GET", HPACK.get.map { $0.0 == ":path" ? ($0.0, "*") : $0 }),
        malformed("8.3.1 two :method", [(":method", "GET")] + HPACK.get),
        malformed("8.3.1 two :scheme", [(":scheme", "http")] + HPACK.get),
        malformed("8.3.1 two :path", [(":path", "/")] + HPACK.get),
        malformed("8.3.1 two :authority", [(":authority", "b")] + HPACK.get),
        malformed("8.3.1 another scheme", HPACK.get.map { $0.0 == ":scheme" ? ($0.0, "ftp") : $0 }),
        malformed("8.3.1 Host says something else", HPACK.get + [("host", "b.example")]),
        malformed("8.3.1 two Host", HPACK.get + [("host", "a.example"), ("host", "a.example")]),
        malformed("8.3.1 a space in :path", HPACK.get.map { $0.0 == ":path" ? ($0.0, "/ x") : $0 }),
        malformed(
            "8.3.1 LF in :authority", HPACK.get.map { $0.0 == ":authority" ? ($0.0, "a\nb") : $0 }),
        malformed(
            "8441 4 :protocol without leave",
            [
                (":method", "CONNECT"), (":scheme", "http"), (":path", "/"), (":authority", "a"),
                (":protocol", "websocket"),
            ]),
        WireCase(
            "8.1.1 less data than content-length", .stream(1, [protocolError]),
            .headers(1, HPACK.post + [("content-length", "5")], ends: false),
            .data(1, "four", ends: true)),
        WireCase(
            "8.1.1 more data than content-length", .stream(1, [protocolError]),
            .headers(1, HPACK.post + [("content-length", "1")], ends: false),
            .data(1, "a"), .data(1, "b", ends: true)),
        malformed("8.1.1 no data for a content-length", HPACK.post + [("content-length", "1")]),
        malformed(
            "8.1.1 two content-length",
            HPACK.post + [("content-length", "0"), ("content-length", "0")]),
        malformed(
            "8.1.1 a content-length that is no number", HPACK.post + [("content-length", "+0")]),
        WireCase(
            "8.1.1 trailers before all of content-length", .stream(1, [protocolError]),
            .headers(1, HPACK.post + [("content-length", "5")], ends: false),
            .data(1, "four"), .headers(1, [("x", "y")])),
    ]
}
