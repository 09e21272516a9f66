// RFC 9112 3.2: origin-form, absolute-form and asterisk-form, and whose host counts.

import HTTPWire
import Testing

@Suite struct RequestTargetTests {
    struct Row: CustomTestStringConvertible {
        let target: String
        let path: String
        let query: String?
        var testDescription: String { target }
    }

    static let rows: [Row] = [
        Row(target: "/", path: "/", query: nil),
        Row(target: "/a/b", path: "/a/b", query: nil),
        Row(target: "/a?", path: "/a", query: ""),
        Row(target: "/a?b=c?d", path: "/a", query: "b=c?d"),
        Row(target: "//host/x", path: "//host/x", query: nil),
        Row(target: "/%00|{}[]\\^`<>\"", path: "/%00|{}[]\\^`<>\"", query: nil),
        Row(target: "http://b", path: "", query: nil),
        Row(target: "HTTPS://b:8443/x?y", path: "/x", query: "y"),
        Row(target: "http://[::1]:80?q", path: "", query: "q"),
    ]

    @Test(arguments: rows) func `a target splits into path and query`(row: Row) {
        let parsed = Wire.request(lines: "GET \(row.target) HTTP/1.1", "Host: a").message
        #expect(parsed?.path == row.path)
        #expect(parsed?.query == row.query)
        #expect(parsed?.target == row.target)
    }

    @Test func `the host of an absolute target takes the place of Host`() {
        let parsed = Wire.request(lines: "GET http://b:81/ HTTP/1.1", "Host: a").message
        #expect(parsed?.host == "b:81")
    }

    @Test func `an absolute target still needs a valid Host`() {
        #expect(Wire.request(lines: "GET http://b/ HTTP/1.1").error == .missingHost)
        #expect(Wire.request(lines: "GET http://b/ HTTP/1.1", "Host: a b").error == .badHost)
    }

    @Test func `the asterisk is for OPTIONS alone`() {
        #expect(Wire.request(lines: "OPTIONS * HTTP/1.1", "Host: a").message?.path == "*")
        #expect(Wire.request(lines: "GET * HTTP/1.1", "Host: a").error == .badTarget)
        #expect(Wire.request(lines: "OPTIONS ** HTTP/1.1", "Host: a").error == .badTarget)
    }

    @Test(arguments: [
        "a", "example.com:80", "ftp://a/", "http:/a", "http://", "http:///x", "http://u@a/",
        "http://a:99999/", "http://a:b/", "http://[::1/", "?x", "http://a%zz/", "http://a\\b/",
    ])
    func `any other form is refused`(target: String) {
        #expect(Wire.request(lines: "GET \(target) HTTP/1.1", "Host: a").error == .badTarget)
    }
}
