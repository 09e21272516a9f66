// RFC 9110 7.6.1 and 7.8, RFC 9112 9.3: what `Connection` decides, and what it may not touch.

import HTTPWire
import Testing

@Suite struct ConnectionOptionsTests {
    static let persistence: [(String, String, Bool)] = [
        ("1.1", "X: y", true), ("1.1", "Connection: close", false),
        ("1.1", "Connection: keep-alive", true), ("1.1", "Connection: Keep-Alive, CLOSE", false),
        ("1.1", "Connection:", true), ("1.1", "Connection: ,, close ,", false),
        ("1.0", "X: y", false), ("1.0", "Connection: keep-alive", true),
        ("1.0", "Connection: close, keep-alive", false), ("1.1", "Connection: closed", true),
    ]

    @Test(arguments: persistence)
    func `a connection persists by version and option`(
        version: String, line: String, expected: Bool
    ) {
        let request = Wire.request(lines: "GET / HTTP/\(version)", "Host: a", line).message
        let head = "HTTP/\(version) 200 OK\r\nContent-Length: 0\r\n\(line)\r\n\r\n"
        #expect(request?.keepsAlive == expected)
        #expect(Wire.response(head).message?.keepsAlive == expected)
    }

    @Test func `options of several fields count together`() {
        let lines = "Connection: keep-alive\r\nX: y\r\nConnection: close"
        let parsed = Wire.request(lines: "GET / HTTP/1.1", "Host: a", lines).message
        #expect(parsed?.keepsAlive == false)
    }

    @Test(arguments: [
        "Connection: a b", "Connection: \"close\"", "Connection: close;x", "Connection: @",
        "Connection: " + Array(repeating: "x", count: 33).joined(separator: ","),
    ])
    func `a malformed or endless list is refused`(line: String) {
        #expect(Wire.request(lines: "GET / HTTP/1.1", "Host: a", line).error == .badConnection)
    }

    @Test(arguments: [
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
        "Proxy-Authenticate", "Proxy-Authorization",
    ])
    func `the fixed list is flagged hop-by-hop`(name: String) {
        let value = name == "Transfer-Encoding" ? "chunked" : "x"
        let parsed = Wire.request(lines: "GET / HTTP/1.1", "Host: a", "\(name): \(value)").message
        #expect(parsed?.fields.map(\.isHopByHop) == [false, true])
    }

    @Test func `a nominated field is flagged hop-by-hop wherever it stands`() {
        let parsed = Wire.request(
            lines: "GET / HTTP/1.1", "X-A: 1", "Host: a", "Connection: x-a, X-b", "x-B: 2", "X-C: 3"
        )
        let flagged = parsed.message?.fields.filter(\.isHopByHop).map(\.name)
        #expect(flagged == ["X-A", "Connection", "x-B"])
    }

    @Test(arguments: [
        "Host", "Content-Length", "Content-Type", "Cookie", "Authorization", "X-Forwarded-For",
        "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Real-IP", "Forwarded",
        "X-Request-Id", "traceparent", "tracestate", "X-Penstock-Deployment", "X-Penstock-Anything",
        "Cache-Control", "Content-Encoding", "Expect", "Set-Cookie",
    ])
    func `nominating a field that others rely on has no effect`(name: String) {
        let value = ["Expect": "100-continue", "Content-Length": "1"][name] ?? "a"
        let own = name == "Host" ? "X: y" : "Host: a"
        let parsed = Wire.request(
            lines: "GET / HTTP/1.1", own, "\(name): \(value)", "Connection: close, \(name)"
        ).message
        #expect(parsed?.fields[1].isHopByHop == false)
    }

    @Test func `an upgrade needs both fields and HTTP/1.1`() {
        let both = ["Connection: upgrade", "Upgrade: websocket"]
        #expect(upgrade("1.1", both) == "websocket")
        #expect(upgrade("1.0", both) == "")
        #expect(upgrade("1.1", [both[0]]) == "")
        #expect(upgrade("1.1", [both[1]]) == "")
        #expect(upgrade("1.1", both + ["Upgrade: h2c"]) == "")
    }

    private func upgrade(_ version: String, _ lines: [String]) -> String? {
        let fields = lines.map { $0 + "\r\n" }.joined()
        return Wire.request("GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n").message?.upgrade
    }
}
