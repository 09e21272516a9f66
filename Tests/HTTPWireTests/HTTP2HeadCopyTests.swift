// Heads that wait for their turn: each is its own stream's, however many wait and whatever becomes
// of the others.

import HTTPWire
import Testing

@Suite struct HTTP2HeadCopyTests {
    @Test func `heads that wait together leave as they were given`() throws {
        let client = try HTTP2Drive(client: HTTP2Options())
        let server = try HTTP2Drive()
        server.take(client.outputBytes())
        client.take(server.outputBytes())
        let heads = (0..<100).map { number in
            "GET /\(number) HTTP/1.1\r\nhost: a\r\nx-a: \(String(repeating: "b", count: number))"
                + "\r\n\r\n"
        }
        let streams = try heads.map { try client.request($0) }
        // One that is given up before it left takes nothing with it.
        streams[50].reset(.cancel)
        let seen = server.take(client.outputBytes())
        let expected = heads.enumerated().filter { $0.offset != 50 }.map {
            Seen.head(Int32(2 * $0.offset + 1), $0.element, ends: true)
        }
        #expect(seen == expected)
        for (number, stream) in streams.enumerated() where number != 50 {
            try server.stream(stream.id).reset(.cancel)
            stream.reset(.cancel)
        }
    }

    @Test func `an interim head that still waits stays before the final one`() throws {
        let client = try HTTP2Drive(client: HTTP2Options())
        let server = try HTTP2Drive()
        let stream = try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        server.take(client.outputBytes())
        try server.respond(1, "HTTP/1.1 100 Continue\r\n\r\n", ends: false)
        try server.respond(1, "HTTP/1.1 103 Early Hints\r\nlink: b\r\n\r\n", ends: false)
        try server.respond(1, "HTTP/1.1 200 OK\r\nserver: c\r\n\r\n")
        try server.stream(1).release()
        let seen = client.take(server.outputBytes())
        stream.release()
        #expect(
            seen == [
                .interim(1, "HTTP/1.1 100 \r\n\r\n"),
                .interim(1, "HTTP/1.1 103 \r\nlink: b\r\n\r\n"),
                .head(1, "HTTP/1.1 200 \r\nserver: c\r\n\r\n", ends: true),
            ])
    }

    @Test func `many fields make room for themselves and few do not shrink it`() throws {
        for counts in [[1, 100, 1], [100, 1, 100], [24, 25, 26]] {
            let client = try HTTP2Drive(client: HTTP2Options())
            let server = try HTTP2Drive()
            server.take(client.outputBytes())
            client.take(server.outputBytes())
            for count in counts {
                let fields = (0..<count).map { "x-\($0): \($0)\r\n" }.joined()
                let head = "GET / HTTP/1.1\r\nhost: a\r\n\(fields)\r\n"
                let stream = try client.request(head)
                #expect(server.take(client.outputBytes()) == [.head(stream.id, head, ends: true)])
                try server.respond(stream.id)
                try server.stream(stream.id).release()
                client.take(server.outputBytes())
                stream.release()
            }
        }
    }
}
