// Heads on their way out through a table that forgets and shrinks: the other end, whose decoder is
// the library's, reads each of them as it was sent, and what returns is not told twice.

import Fixtures
import HTTPWire
import Testing

@Suite struct HPACKEncoderTests {
    private let begin = "GET / HTTP/1.1\r\nhost: a\r\n"

    /// Names that are known and names that are not, with values that return and values that do not.
    private func head(_ random: inout SeededGenerator) -> String {
        let names = [
            "accept", "content-type", "date", "server", "x-request-id", "traceparent",
            "x-penstock-inference-id", "authorization", "cookie", "x-a", "x-longer-than-a-word",
        ]
        var head = "GET /\(Int.random(in: 0...3, using: &random)) HTTP/1.1\r\nhost: a\r\n"
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let size = [1, 7, 8, 9, 40, 300, 600].randomElement(using: &random) ?? 0
            let letter = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
            let name = names.randomElement(using: &random) ?? "x"
            head += "\(name): \(String(repeating: letter, count: size))\r\n"
        }
        return head + "\r\n"
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func `heads arrive as they were sent whatever went before`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let client = try HTTP2Drive(client: HTTP2Options())
        let server = try HTTP2Drive()
        server.take(client.outputBytes())
        client.take(server.outputBytes())
        for number in 0..<400 {
            // The peer's decoder follows any size up to the one it began with.
            if Int.random(in: 0..<10, using: &random) == 0 {
                let size = [0, 33, 100, 1_000, 4_096].randomElement(using: &random) ?? 0
                client.take(.settings([(1, UInt32(size))]))
            }
            let sent = head(&random)
            let stream = try client.request(sent)
            // Settings that the server did not send need not be acknowledged to it.
            let frames = client.output().filter { $0.type != RawFrame.Kind.settings }
            let seen = server.take(frames.flatMap(\.bytes))
            #expect(server.session.fault == nil, "seed \(seed), \(number)")
            guard case .head(_, let text, _) = try #require(seen.first, "seed \(seed), \(number)")
            else { continue }
            #expect(lines(text) == lines(sent), "seed \(seed), \(number)")
            try server.respond(stream.id)
            try server.stream(stream.id).release()
            client.take(server.outputBytes())
            stream.release()
        }
    }

    @Test func `no two fields push each other out`() throws {
        for first in 0..<24 {
            let client = try HTTP2Drive.client()
            for second in (first + 1)..<40 {
                let fields = "x-\(first): a\r\nx-\(second): b\r\n"
                // The second head may still tell what a third field pushed out.
                for round in 0..<3 {
                    let stream = try client.request("GET / HTTP/1.1\r\n\(fields)\r\n")
                    let found = try #require(client.output().first(RawFrame.Kind.headers))
                    // Method, scheme, path and the two, each by its number.
                    #expect(round < 2 || found.payload.count == 5, "\(first) and \(second)")
                    stream.reset(.cancel)
                }
            }
        }
    }

    /// Crumbs of cookies come as one.
    private func lines(_ head: String) -> [String] {
        let lines = head.split(separator: "\r\n").map(String.init)
        let cookies = lines.filter { $0.hasPrefix("cookie: ") }.map { $0.dropFirst(8) }
        return lines.filter { !$0.hasPrefix("cookie: ") }
            + (cookies.isEmpty ? [] : ["cookie: " + cookies.joined(separator: "; ")])
    }

    private func blocks(_ heads: [String]) throws -> [[UInt8]] {
        let client = try HTTP2Drive.client()
        let streams = try heads.map { try client.request($0) }
        let found = client.output().only(RawFrame.Kind.headers).map(\.payload)
        streams.forEach { $0.reset(.cancel) }
        return found
    }

    @Test func `a field that returns is one byte`() throws {
        let head = begin + "accept: text/html\r\nx-long-name: and a value\r\n\r\n"
        let found = try blocks([head, head])
        #expect(found[1].count == 6)
        #expect(found[1].allSatisfy { $0 & 0x80 != 0 })
    }

    @Test func `the name of an id is told once and its values are nobody's to keep`() throws {
        let found = try blocks(["1", "2", "3"].map { begin + "x-request-id: \($0)\r\n\r\n" })
        // Never indexed, its name at place 62 and beyond.
        #expect(found[1].suffix(4) == [0x1F, 47, 1, 0x32])
        #expect(found[2].suffix(4) == [0x1F, 47, 1, 0x33])
    }

    @Test(arguments: [("authorization", "Basic x", UInt8(8)), ("cookie", "a=b", 17)])
    func `7_1_3 a secret is never indexed`(_ name: String, _ value: String, _ rest: UInt8) throws {
        let found = try blocks([begin + "\(name): \(value)\r\n\r\n"])
        let expected = [0x1F, rest, UInt8(value.utf8.count)] + Array(value.utf8)
        #expect(Array(found[0].suffix(expected.count)) == expected)
    }

    @Test func `4_2 the least size is told before the last`() throws {
        let client = try HTTP2Drive.client()
        client.take(.settings([(1, 0)]), .settings([(1, 4_096)]))
        let stream = try client.request(begin + "\r\n")
        let block = try #require(client.output().first(RawFrame.Kind.headers)).payload
        #expect(block.prefix(4) == [0x20, 0x3F, 0xE1, 0x0F])
        stream.reset(.cancel)
    }

    /// A server whose client has changed the size of its table since the last head.
    private func server(sizes: [Int]) throws -> HTTP2Drive {
        let server = try HTTP2Drive.server()
        let client = try HTTP2Drive.client()
        let stream = try client.request(begin + "\r\n")
        server.take(client.output().flatMap(\.bytes))
        for size in sizes { server.take(RawFrame.settings([(1, UInt32(size))])) }
        _ = server.output()
        stream.reset(.cancel)
        return server
    }

    private func block(_ server: HTTP2Drive) throws -> [UInt8] {
        try #require(server.output().first(RawFrame.Kind.headers)).payload
    }

    @Test func `4_2 an interim head tells the size if it comes first`() throws {
        let server = try server(sizes: [0])
        try server.respond(1, "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n", ends: false)
        let interim = try block(server)
        #expect(interim.first == 0x20)
        #expect(interim.dropFirst().first.map { $0 & 0xE0 != 0x20 } == true)
        try server.respond(1)
        #expect(try block(server).first == 0x88, "and the next does not tell it again")
        try server.stream(1).release()
    }

    @Test func `4_2 trailers tell the least size and the last`() throws {
        let server = try server(sizes: [])
        try server.respond(1, ends: false)
        _ = server.output()
        server.take(.settings([(1, 0)]), .settings([(1, 4_096)]))
        _ = server.output()
        try server.sendTrailers(1, "x-a: b\r\n\r\n")
        #expect(try block(server).prefix(4) == [0x20, 0x3F, 0xE1, 0x0F])
        try server.stream(1).release()
    }

    @Test func `5_1 lengths of any size are told`() throws {
        for count in [0, 1, 126, 127, 128, 254, 255, 256, 16_000, 40_000] {
            let (client, server) = (try HTTP2Drive.client(), try HTTP2Drive())
            let head = begin + "x-a: \(String(repeating: "v", count: count))\r\n\r\n"
            let stream = try client.request(head)
            let seen = server.take(
                RawFrame.preface + RawFrame.settings().bytes + client.outputBytes())
            #expect(seen == [.head(1, head, ends: true)], "\(count)")
            try server.stream(1).reset(.cancel)
            stream.reset(.cancel)
        }
    }
}
