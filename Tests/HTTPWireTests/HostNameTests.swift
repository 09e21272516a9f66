// RFC 9110 7.2 and RFC 9112 3.2: exactly one valid Host in HTTP/1.1.

import HTTPWire
import Testing

@Suite struct HostNameTests {
    @Test(arguments: [
        "a", "example.com", "example.com:80", "example.com:", "a:65535", "127.0.0.1", "a_b",
        "xn--e1",
        "[::]", "[::1]:8080", "[1:2:3:4:5:6:7:8]", "[1::8]", "[::ffff:1.2.3.4]", "[fe80::]",
        "a%2Fb", "a!$&'()*+,;=~", "[1:2:3:4:5:6:1.2.3.4]", "[::2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]",
    ])
    func `a name or an address with an optional port is a host`(host: String) {
        #expect(Wire.request(lines: "GET / HTTP/1.1", "Host: \(host)").message?.host == host)
    }

    @Test(arguments: [
        "", ":80", "a b", "a:80:80", "a:-1", "a:65536", "a:100000", "a:8x", "u@a", "a/b", "a?b",
        "a#b", "a\\b", "a\"", "<a>", "a%", "a%2", "a%zz", "[", "[]", "[::1", "::1", "[::1]x",
        "[:1]", "[1:]", "[:]", "[:::]", "[1::2::3]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
        "[12345::]", "[::g]", "[::1%25eth0]", "[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]",
        "[::1.2.3.4:1]", "[1.2.3.4]", "[v1.a]", "[1:2:3:4:5:6:7:1.2.3.4]", "\u{E9}", "[::1.2.3.4.]",
        "[1::2:3:4:5:6:7:8]",
    ])
    func `anything else is not`(host: String) {
        #expect(Wire.request(lines: "GET / HTTP/1.1", "Host: \(host)").error == .badHost)
        #expect(Wire.request(lines: "GET / HTTP/1.0", "Host: \(host)").error == .badHost)
    }

    @Test func `HTTP/1.1 needs a Host and HTTP/1.0 does not`() {
        #expect(Wire.request(lines: "GET / HTTP/1.1").error == .missingHost)
        #expect(Wire.request(lines: "GET / HTTP/1.0").message?.host == "")
    }

    @Test(arguments: ["HTTP/1.1", "HTTP/1.0"])
    func `a second Host is refused even if equal`(version: String) {
        let verdict = Wire.request(lines: "GET / \(version)", "Host: a", "hOST: a")
        #expect(verdict.error == .repeatedHost)
    }

    @Test func `a host longer than any name is refused`() {
        let long = String(repeating: "a", count: Limits.hostBytes)
        #expect(Wire.request(lines: "GET / HTTP/1.1", "Host: \(long)").message?.host == long)
        #expect(Wire.request(lines: "GET / HTTP/1.1", "Host: \(long)a").error == .badHost)
    }
}
