// What an owner sees of a session: requests in, answers out, and the state of the connection.

import HTTPWire
import Testing

@Suite struct HTTP2SessionTests {
    @Test func `a request arrives as an HTTP one dot one head`() throws {
        let server = try HTTP2Drive.server()
        let seen = server.take(.headers(1, HPACK.get))
        #expect(seen == [.head(1, "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n", ends: true)])
    }

    @Test func `an answer leaves as a head and data`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.get))
        try server.respond(1, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", ends: false)
        let frames = try server.send(1, "hi", ends: true)
        #expect(frames.map(\.type) == [RawFrame.Kind.headers, RawFrame.Kind.data])
        #expect(frames.last?.payload == Array("hi".utf8))
        #expect(frames.last?.flags == RawFrame.endStream)
        #expect(server.session.streamCount == 0)
        try server.stream(1).release()
    }

    @Test func `two sessions speak to each other`() throws {
        let server = try HTTP2Drive(server: HTTP2Options())
        let client = try HTTP2Drive(client: HTTP2Options())
        try client.request("POST /x?y HTTP/1.1\r\nHost: b\r\nX-A: 1\r\n\r\n", ends: false)
        let asked = server.take(try client.sendBytes(1, Array("body".utf8), ends: true))
        let head =
            "POST /x?y HTTP/1.1\r\nhost: b\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(asked == [.head(1, head, ends: false), .data(1, "body", ends: true)])

        try server.respond(1, ends: false)
        let answered = client.take(try server.sendBytes(1, Array("answer".utf8), ends: true))
        let answer = "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(answered == [.head(1, answer, ends: false), .data(1, "answer", ends: true)])
        try server.stream(1).release()
        try client.stream(1).release()
        #expect(server.session.streamCount == 0)
        #expect(client.session.streamCount == 0)
    }
}
