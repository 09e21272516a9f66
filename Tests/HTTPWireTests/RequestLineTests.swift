// RFC 9112 2.2, 2.3 and 3: the first line of a request, byte for byte.

import HTTPWire
import Testing

@Suite struct RequestLineTests {
    static let refused: [(String, WireError)] = [
        (" GET / HTTP/1.1\r\n", .badMethod),
        ("G@T / HTTP/1.1\r\n", .badMethod),
        ("GET\t/ HTTP/1.1\r\n", .badMethod),
        ("\u{16}\u{3}\u{1}", .badMethod),
        ("\u{0}GET / HTTP/1.1\r\n", .badMethod),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n", .methodTooLong),
        ("CONNECT example.com:443 HTTP/1.1\r\n", .methodNotImplemented),
        ("TRACE / HTTP/1.1\r\n", .methodNotImplemented),
        ("GET  / HTTP/1.1\r\n", .badTarget),
        ("GET /\u{1} HTTP/1.1\r\n", .badTarget),
        ("GET /\u{7F} HTTP/1.1\r\n", .badTarget),
        ("GET /\u{0} HTTP/1.1\r\n", .badTarget),
        ("GET /\u{E9} HTTP/1.1\r\n", .badTarget),
        ("GET /a#b HTTP/1.1\r\n", .badTarget),
        ("GET /\tHTTP/1.1\r\n", .badTarget),
        ("GET /a\rb HTTP/1.1\r\n", .badTarget),
        ("GET /\r\n", .badTarget),
        ("GET /\n", .bareLineFeed),
        ("GET\n", .bareLineFeed),
        ("\nGET / HTTP/1.1\r\n", .bareLineFeed),
        ("\r\n\r\nGET / HTTP/1.1\r\n", .badMethod),
        ("\rGET / HTTP/1.1\r\n", .bareCarriageReturn),
        ("GET /  HTTP/1.1\r\n", .badVersion),
        ("GET / HTTP/1.1 \r\n", .badVersion),
        ("GET / http/1.1\r\n", .badVersion),
        ("GET / HTTP/11\r\nabc", .badVersion),
        ("GET / HTTP/1.10\r\n", .badVersion),
        ("GET / HTTP/1,1\r\n", .badVersion),
        ("GET / HTTP/a.1\r\n", .badVersion),
        ("GET / XTTP/1.1\r\n", .badVersion),
        ("GET /a b HTTP/1.1\r\n", .badVersion),
        ("GET / HTTP/1.1\n", .bareLineFeed),
        ("GET / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\r\n", .bareCarriageReturn),
        ("GET / HTTP/2.0\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\n", .unsupportedVersion),
        ("GET / HTTP/0.9\r\n", .unsupportedVersion),
        ("GET / HTTP/3.1\r\n", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
    ]

    @Test(arguments: refused)
    func `a malformed request line is refused for what is wrong`(
        line: String, expected: WireError
    ) {
        #expect(
            Wire.request(line + "Host: a\r\n\r\n").error == expected, "\(line.debugDescription)")
    }

    @Test(arguments: [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "M-SEARCH",
    ])
    func `a method is a token and keeps its spelling`(method: String) {
        let parsed = Wire.request(lines: "\(method) / HTTP/1.1", "Host: a").message
        #expect(parsed?.method == method)
    }

    @Test func `one empty line before a request is skipped and counted`() {
        let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(Wire.request(text).message?.byteCount == text.utf8.count)
    }

    @Test(arguments: [16_384, 16_385, 16_390, 20_000])
    func `a target is cut off at its limit`(length: Int) {
        let target = "/" + String(repeating: "a", count: length - 1)
        let verdict = Wire.request(lines: "GET \(target) HTTP/1.1", "Host: a")
        #expect(verdict.error == (length > Limits.targetBytes ? .targetTooLong : nil))
    }

    @Test func `a target that does not end within the head is too long`() {
        let bytes = Array(("GET /" + String(repeating: "a", count: 200)).utf8)
        let limits = WireLimits(headBytes: 128, headers: 8)
        #expect(Wire.request(bytes, limits: limits) == .refused(.targetTooLong))
        #expect(Wire.request(Array(bytes.prefix(127)), limits: limits) == .incomplete)
    }

    @Test func `garbage is refused at its first byte`() {
        #expect(Wire.request("GET / HTTX").error == .badVersion)
        #expect(Wire.request("GET / HTTP/1.1x").error == .badVersion)
        #expect(Wire.request("GET /\u{1}").error == .badTarget)
    }
}
