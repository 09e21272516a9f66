// A whole request head: what is known of it when it is complete, and that only completeness
// decides.

import HTTPWire
import Testing

@Suite struct RequestParserTests {
    static let typical =
        "POST /v2/models/iris/infer?x=1 HTTP/1.1\r\nHost: api.example.com\r\n"
        + "User-Agent: curl/8.5.0\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        + "X-Request-Id: 7\r\ntraceparent: 00-1-2-00\r\nX-Forwarded-For: 10.0.0.1\r\n"
        + "Cookie: a=b\r\nx-penstock-deployment: iris\r\nX-Penstock-Revision: canary\r\n"
        + "Expect: 100-Continue\r\nContent-Length: 12\r\n\r\n"

    private func head(_ text: String) throws -> RequestHead? {
        var table = FieldTable(capacity: 64)
        let bytes = Array(text.utf8)
        let span = unsafe bytes.span.bytes
        return try RequestParser().parse(span, fields: &table)
    }

    @Test func `a typical request is understood`() throws {
        let head = try #require(try head(Self.typical))
        #expect(head.method == .post)
        #expect(head.framing == .length(12))
        #expect(head.keepsAlive && head.expectsContinue && head.contentTypeIsJSON)
        #expect(head.byteCount == Self.typical.utf8.count)
    }

    @Test func `notable fields are found by position`() throws {
        let head = try #require(try head(Self.typical))
        #expect(head.hostField == 0)
        #expect(head.requestIDField == 4)
        #expect(head.traceparentField == 5)
        #expect(head.forwardedForField == 6)
        #expect(head.cookieField == 7)
        #expect(head.deploymentField == 8)
        #expect(head.revisionField == 9)
    }

    @Test func `absent notable fields are at minus one`() throws {
        let head = try #require(try head("GET / HTTP/1.0\r\n\r\n"))
        let positions = [
            head.hostField, head.requestIDField, head.traceparentField, head.forwardedForField,
            head.cookieField, head.deploymentField, head.revisionField,
        ]
        #expect(positions == Array(repeating: -1, count: 7))
    }

    @Test func `a head is incomplete up to its last byte`() {
        let bytes = Array(Self.typical.utf8)
        for count in 0..<bytes.count {
            #expect(Wire.request(Array(bytes.prefix(count))) == .incomplete, "\(count)")
        }
        #expect(Wire.request(bytes).message != nil)
    }

    @Test func `what follows a head is not looked at`() {
        let bytes = Array(Self.typical.utf8)
        let whole = Wire.request(bytes)
        #expect(Wire.request(bytes + [0, 1, 2, 0x0A]) == whole)
    }

    @Test(arguments: [
        ("100-continue", nil), ("100-Continue", nil), ("", WireError.expectationFailed),
        ("200-ok", .expectationFailed), ("100-continue, x", .expectationFailed),
    ])
    func `only one expectation can be met`(value: String, expected: WireError?) {
        let lines = ["Content-Length: 1", "Expect: \(value)"].joined(separator: "\r\n")
        let verdict = Wire.request(lines: "POST / HTTP/1.1", "Host: a", lines)
        #expect(verdict.error == expected)
        #expect(verdict.message?.expectsContinue ?? true)
    }

    @Test func `an expectation is ignored in HTTP/1.0 and without a body`() {
        let old = Wire.request(lines: "POST / HTTP/1.0", "Content-Length: 1", "Expect: x").message
        let bare = Wire.request(lines: "GET / HTTP/1.1", "Host: a", "Expect: 100-continue").message
        #expect(old?.expectsContinue == false)
        #expect(old?.fields.last?.isHopByHop == true)
        #expect(bare?.expectsContinue == false)
    }

    @Test(arguments: [
        ("application/json", true), ("Application/JSON; charset=utf-8", true),
        ("application/json ;x", true), ("application/jsonl", false), ("text/json", false),
        ("", false),
    ])
    func `a JSON body is known by its media type`(value: String, expected: Bool) throws {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: \(value)\r\n\r\n"
        #expect(try head(text)?.contentTypeIsJSON == expected)
    }

    @Test(arguments: [
        "x_forwarded_for", "X_Forwarded-Proto", "content_length", "Transfer_Encoding",
        "x_penstock_revision", "x-penstock_new", "X_REQUEST_ID", "content_type", "x_real_ip",
        "proxy_authorization", "x_forwarded_anything_at_all_however_long_it_may_be",
    ])
    func `an underscore that stands for a hyphen makes an alias`(name: String) {
        let parsed = Wire.request(lines: "GET / HTTP/1.1", "Host: a", "\(name): 1").message
        #expect(parsed?.fields.last?.isAlias == true)
        #expect(parsed?.framing == BodyFraming.none)
    }

    @Test(arguments: ["x_tenant", "_", "my_header", "content_lengths", "X-Forwarded-For", "te_"])
    func `other names are no aliases`(name: String) {
        let parsed = Wire.request(lines: "GET / HTTP/1.1", "Host: a", "\(name): 1").message
        #expect(parsed?.fields.last?.isAlias == false)
    }
}
