// A whole response head: persistence, hints, and that only completeness decides.

import HTTPWire
import Testing

@Suite struct ResponseParserTests {
    static let typical =
        "HTTP/1.1 200 OK\r\nServer: uvicorn\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\n"
        + "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nKeep-Alive: timeout=5, max=100\r\n"
        + "Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func head(_ text: String) throws -> ResponseHead? {
        var table = FieldTable(capacity: 64)
        let bytes = Array(text.utf8)
        let span = unsafe bytes.span.bytes
        return try ResponseParser().parse(span, fields: &table, requestMethod: .get)
    }

    @Test func `a typical response is understood`() throws {
        let head = try #require(try head(Self.typical))
        #expect(head.framing == .chunked)
        #expect(head.keepsAlive && head.contentTypeIsEventStream)
        #expect(head.keepAliveTimeoutSeconds == 5)
        #expect(head.byteCount == Self.typical.utf8.count)
    }

    @Test func `a head is incomplete up to its last byte`() {
        let bytes = Array(Self.typical.utf8)
        for count in 0..<bytes.count {
            #expect(Wire.response(Array(bytes.prefix(count))) == .incomplete, "\(count)")
        }
    }

    @Test func `repeated Set-Cookie fields are all kept`() {
        let fields = Wire.response(Self.typical).message?.fields.filter { $0.name == "Set-Cookie" }
        #expect(fields?.map(\.value) == ["a=b", "c=d"])
    }

    @Test func `an interim response is told from an upgrade`() throws {
        let early = try #require(try head("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"))
        let upgrade = try #require(try head("HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n"))
        #expect(early.isInformational && !early.isUpgrade)
        #expect(upgrade.isUpgrade && !upgrade.isInformational)
        #expect(!upgrade.keepsAlive)
    }

    @Test(arguments: [
        ("timeout=5", 5), ("max=3, timeout=60", 60), ("max=1,TIMEOUT=7,x=2", 7), ("timeout=0", 0),
        ("", -1), ("timeout", -1), ("timeout=", -1), ("timeout=x", -1),
        ("timeout=99999999", 1_000_000),
        ("xtimeout=5", -1), ("max=1, ", -1), ("timeout=\"5\"", -1),
    ])
    func `a keep-alive timeout is a hint`(value: String, expected: Int) throws {
        let text = "HTTP/1.1 204 \r\nKeep-Alive: \(value)\r\n\r\n"
        #expect(try head(text)?.keepAliveTimeoutSeconds == expected)
    }

    @Test func `an endless status line is too large`() {
        let text = "HTTP/1.1 200 " + String(repeating: "a", count: 200)
        let limits = WireLimits(headBytes: 128, headers: 4)
        #expect(Wire.response(Array(text.utf8), limits: limits).error == .headTooLarge)
    }
}
