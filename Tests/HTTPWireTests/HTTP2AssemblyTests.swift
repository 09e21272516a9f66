// Heads of HTTP/2 in the form that HTTP/1.1 has for them, as the strict parsers get them.
// Nothing of HTTP/2 shows in them.

import HTTPWire
import Testing

@Suite struct HTTP2AssemblyTests {
    private func head(
        _ fields: [(String, String)], ends: Bool = true, options: HTTP2Options = HTTP2Options()
    ) throws -> [Seen] {
        try HTTP2Drive.server(options).take(.headers(1, fields, ends: ends))
    }

    @Test func `a body of unknown length is announced as chunked`() throws {
        let seen = try head(HPACK.post, ends: false)
        let text = "POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(seen == [.head(1, text, ends: false)])
    }

    @Test func `a body of known length is not`() throws {
        let seen = try head(HPACK.post + [("content-length", "3")], ends: false)
        let text = "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 3\r\n\r\n"
        #expect(seen == [.head(1, text, ends: false)])
    }

    @Test func `8_2_3 the crumbs of a cookie become one field`() throws {
        let crumbs = [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")]
        let seen = try head(HPACK.get + crumbs)
        let text = "GET / HTTP/1.1\r\nhost: a.example\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n\r\n"
        #expect(seen == [.head(1, text, ends: true)])
    }

    @Test func `8_3_1 a Host field that says the same is left out`() throws {
        let seen = try head(HPACK.get + [("host", "A.Example")])
        #expect(seen == [.head(1, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n", ends: true)])
    }

    @Test func `8_3_1 a Host field stands in for a missing authority`() throws {
        let fields = HPACK.get.filter { $0.0 != ":authority" } + [("host", "b")]
        #expect(try head(fields) == [.head(1, "GET / HTTP/1.1\r\nhost: b\r\n\r\n", ends: true)])
    }

    @Test func `OPTIONS may ask about the whole server`() throws {
        let fields = [
            (":path", "*"), (":method", "OPTIONS"), (":scheme", "http"), (":authority", "a"),
        ]
        #expect(try head(fields) == [.head(1, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", ends: true)])
    }

    @Test func `a plain CONNECT is left to the parser to refuse`() throws {
        let seen = try head([(":method", "CONNECT"), (":authority", "a:80")], ends: true)
        guard case .head(1, let text, _) = try #require(seen.first) else { return }
        #expect(Wire.request(text).error == .methodNotImplemented)
    }

    @Test func `8441 extended CONNECT reads as the upgrade it stands for`() throws {
        var options = HTTP2Options()
        options.allowsUpgrades = true
        let fields = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
            (":path", "/chat"), (":authority", "a"), ("sec-websocket-version", "13"),
        ]
        let server = try HTTP2Drive.server(options)
        let seen = server.take(.headers(1, fields, ends: false))
        let text =
            "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            + "sec-websocket-version: 13\r\n\r\n"
        #expect(seen == [.head(1, text, ends: false)])
        #expect(try server.stream(1).isExtendedConnect)
        #expect(Wire.request(text).message?.upgrade == "websocket")
    }

    @Test func `9113 10_5_1 a head beyond its limit is told of and costs no more`() throws {
        var options = HTTP2Options()
        options.headBytes = 2_000
        let server = try HTTP2Drive.server(options)
        let long = HPACK.get + (0..<50).map { _ in ("x", String(repeating: "y", count: 100)) }
        let seen = server.take(.headers(1, long, ends: false), .data(1, "body", ends: true))
        #expect(seen == [.headTooLarge(1), .data(1, "body", ends: true)])
        try server.respond(1, "HTTP/1.1 431 Too Large\r\n\r\n")
        #expect(server.output().map(\.type) == [RawFrame.Kind.headers])
    }

    @Test func `every head can be parsed and has the fields it says`() throws {
        let server = try HTTP2Drive.server()
        let crumbs = [("cookie", "a"), ("cookie", "b"), ("te", "trailers"), ("x-y", "")]
        let bytes = RawFrame.headers(1, HPACK.post + crumbs, ends: false).bytes
        let count = unsafe server.session.receive(bytes.span.bytes, now: 1)
        #expect(count == bytes.count)
        let next = server.loop.nextEvent()
        let event = try #require(next)
        let head = unsafe server.loop.withHeads { unsafe Array($0) }
        let slice = Array(head[event.slice.start..<event.slice.end])
        let parsed = try #require(Wire.request(slice).message)
        #expect(parsed.fields.count == Int(event.fieldCount))
        #expect(parsed.framing == .chunked)
        #expect(parsed.byteCount == slice.count)
        event.stream.reset(.cancel)
    }

    @Test func `trailers arrive as field lines`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        let seen = server.take(.headers(1, [("grpc-status", "0"), ("x", "y")]))
        #expect(seen == [.trailers(1, "grpc-status: 0\r\nx: y\r\n\r\n")])
    }

    @Test func `trailers without a field are just the end`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        #expect(server.take(.data(1, "a"), .headers(1, [])) == [.data(1, "a", ends: true)])
    }

    @Test func `trailers beyond their limit reset the stream`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        let many = (0..<100).map { ("x\($0)", String(repeating: "y", count: 100)) }
        server.take(.headers(1, many))
        #expect(server.output().resets == [1: 11])
        #expect(server.notices() == [.reset(1, 11)])
        try server.stream(1).release()
    }
}
