// Heads in HTTP/1.1 form on their way out: what becomes of each line, as the other end reads it.
// The other end is a session of ours.

import HTTPWire
import Testing

@Suite struct HTTP2FieldListTests {
    /// What a server makes of a client's request head.
    private func asked(_ head: String, isSecure: Bool = false) throws -> String {
        var options = HTTP2Options()
        options.isSecure = isSecure
        let client = try HTTP2Drive.client(options)
        let server = try HTTP2Drive()
        try client.request(head)
        let seen = server.take(RawFrame.preface + RawFrame.settings().bytes + client.outputBytes())
        for end in [client, server] { try end.stream(1).reset(.cancel) }
        guard case .head(1, let text, _) = try #require(seen.first) else { return "" }
        return text
    }

    /// What a client makes of a server's answer.
    private func answered(_ head: String) throws -> String {
        let server = try HTTP2Drive.server()
        let client = try HTTP2Drive.client()
        try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        server.take(client.outputBytes())
        try server.respond(1, head)
        let seen = client.take(server.outputBytes())
        for end in [client, server] { try end.stream(1).release() }
        guard case .head(1, let text, _) = try #require(seen.first) else { return "" }
        return text
    }

    @Test func `8_3_1 Host becomes the authority wherever it stands`() throws {
        let text = try asked("GET /x?y=1 HTTP/1.1\r\naccept: *\r\nHost: b:80\r\nx: y\r\n\r\n")
        #expect(text == "GET /x?y=1 HTTP/1.1\r\nhost: b:80\r\naccept: *\r\nx: y\r\n\r\n")
    }

    @Test func `8_2 names become lower case`() throws {
        let text = try asked("GET / HTTP/1.1\r\nHost: b\r\nX-Some-Name: Value\r\n\r\n")
        #expect(text == "GET / HTTP/1.1\r\nhost: b\r\nx-some-name: Value\r\n\r\n")
    }

    @Test(arguments: [
        "X_Y", "A-B_C!D#E", "_A", "Ab0_Cdef^Ghijk`LMNOP|Q~", "ABCDEFGH_", "ABCDEFG_H",
    ])
    func `8_2 only letters change`(_ name: String) throws {
        let text = try asked("GET / HTTP/1.1\r\nHost: b\r\n\(name): V_V\r\n\r\n")
        #expect(text == "GET / HTTP/1.1\r\nhost: b\r\n\(name.lowercased()): V_V\r\n\r\n")
    }

    @Test func `8_2_2 what belongs to a connection stays behind`() throws {
        let text = try asked(
            "GET / HTTP/1.1\r\nhost: b\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n"
                + "proxy-connection: x\r\ntransfer-encoding: chunked\r\nupgrade: h2c\r\n"
                + "x: y\r\n\r\n"
        )
        #expect(text == "GET / HTTP/1.1\r\nhost: b\r\nx: y\r\n\r\n")
    }

    @Test func `8_2_2 te may say trailers and nothing else`() throws {
        #expect(
            try asked("GET / HTTP/1.1\r\nhost: b\r\nTE: trailers\r\n\r\n").contains("te: trailers"))
        #expect(!(try asked("GET / HTTP/1.1\r\nhost: b\r\nte: gzip\r\n\r\n").contains("te:")))
    }

    @Test func `space around values is left out and values are not touched`() throws {
        let text = try asked("GET / HTTP/1.1\r\nhost: b\r\nx:  a b\t\r\ny:\r\n\r\n")
        #expect(text == "GET / HTTP/1.1\r\nhost: b\r\nx: a b\r\ny: \r\n\r\n")
    }

    @Test func `an answer keeps its status and loses its reason`() throws {
        #expect(
            try answered("HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n")
                == "HTTP/1.1 404 \r\nserver: x\r\n\r\n")
        #expect(try answered("HTTP/1.1 200\r\n\r\n") == "HTTP/1.1 200 \r\n\r\n")
    }

    @Test func `several fields of one name stay several`() throws {
        let text = try answered("HTTP/1.1 200 OK\r\nset-cookie: a\r\nset-cookie: b\r\n\r\n")
        #expect(text == "HTTP/1.1 200 \r\nset-cookie: a\r\nset-cookie: b\r\n\r\n")
    }

    @Test(arguments: ["", "HTTP/1.1", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nx\r\n\r\n"])
    func `what is no head is not sent`(_ head: String) throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        #expect(throws: HTTP2HeadFault.malformed) { try server.respond(1, head) }
        try server.stream(1).reset(.internalError)
    }

    @Test func `8441 an upgrade needs the peer's leave`() throws {
        let client = try HTTP2Drive.client()
        let head = "GET / HTTP/1.1\r\nhost: b\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
        #expect(throws: HTTP2HeadFault.cannotUpgrade) { try client.request(head, ends: false) }
    }

    @Test func `a head of many fields is sent whole, in CONTINUATION where it must`() throws {
        let lines = (0..<900).map { "x\($0): \(String(repeating: "~", count: 50))\r\n" }.joined()
        var options = HTTP2Options()
        options.headBytes = 200_000
        let server = try HTTP2Drive.server()
        let client = try HTTP2Drive.client(options)
        try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        server.take(client.outputBytes())
        try server.respond(1, "HTTP/1.1 200 OK\r\n\(lines)\r\n")
        let bytes = server.outputBytes()
        #expect(RawFrame.parse(bytes).contains { $0.type == RawFrame.Kind.continuation })
        let seen = client.take(bytes)
        // Most of it is not compressed, so the block is beyond what we take ourselves.
        #expect(seen.isEmpty || seen == [.head(1, "HTTP/1.1 200 \r\n\(lines)\r\n", ends: true)])
        for end in [client, server] { try end.stream(1).release() }
    }
}
