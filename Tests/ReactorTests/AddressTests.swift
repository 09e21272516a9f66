// Addresses as text: RFC 5952's rules for IPv6, dotted IPv4, and what is not a numeric address.

import Reactor
import Testing

@Suite struct PeerAddressTests {
    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"),
        ("127.0.0.1", "127.0.0.1"),
        ("255.254.100.9", "255.254.100.9"),
        ("::ffff:10.20.30.40", "10.20.30.40"),
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("2001:DB8::00A0:1", "2001:db8::a0:1"),
        // RFC 5952 4.2.2: one group of zeros is not shortened.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        // RFC 5952 4.2.3: the longest run, and the first of equals.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("fe80:0:0:0:0:0:0:0", "fe80::"),
        ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func `an address is written in its shortest form`(input: String, expected: String) throws {
        let address = try #require(SocketAddress(numeric: input, port: 80))
        #expect(address.peer.description == expected)
    }

    @Test func `a unix peer says so`() {
        #expect(PeerAddress.unix.description == "unix")
        #expect(PeerAddress.unix != PeerAddress(ipv4: 0, port: 0))
    }
}

@Suite struct SocketAddressTests {
    @Test(arguments: [
        "", "localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", "[::1]", ":::", "g::",
        "1.2.3.4 ", "fe80::1%lo", "12345::",
    ])
    func `what is not a numeric address is refused`(input: String) {
        #expect(SocketAddress(numeric: input, port: 1) == nil)
    }

    @Test func `an address is written as it would be configured`() throws {
        #expect(SocketAddress(ipv4: 0x7f00_0001, port: 8080).description == "127.0.0.1:8080")
        #expect(SocketAddress(ipv6High: 0, low: 1, port: 65535).description == "[::1]:65535")
        let unix = try #require(SocketAddress(unixPath: "/run/a.sock"))
        #expect(unix.description == "unix:/run/a.sock" && unix.isUnix && unix.port == 0)
    }

    @Test func `equal addresses are equal however they were made`() throws {
        let made = SocketAddress(ipv4: 0x0102_0304, port: 5)
        let read = try #require(SocketAddress(numeric: "1.2.3.4", port: 5))
        #expect(made == read && made.hashValue == read.hashValue)
        #expect(made.with(port: 6) != made && made.with(port: 6).port == 6)
        #expect(SocketAddress(ipv6High: 0, low: 1, port: 5) != made)
    }

    @Test func `a unix path fits the kernel's field or is refused`() throws {
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(try #require(SocketAddress(unixPath: longest)).unixPath == longest)
        #expect(SocketAddress(unixPath: longest + "a") == nil)
        #expect(SocketAddress(unixPath: "") == nil)
        #expect(SocketAddress(unixPath: "/a\0b") == nil)
    }
}
