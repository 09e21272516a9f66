// Both versions of the PROXY protocol, after haproxy.org's specification: what a correct sender
// writes is read, everything else is refused as soon as it shows.

import HTTPWire
import Testing

@Suite struct ProxyProtocolParserTests {
    private func parse(_ bytes: [UInt8]) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
        let span = unsafe bytes.span.bytes
        return try ProxyProtocolParser.parse(span)
    }

    private func ipv4(_ address: UInt32, port: UInt16) -> ProxyProtocolHeader.Source {
        .address(high: 0, low: 0xffff_0000_0000 | UInt64(address), port: port)
    }

    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    private static func binary(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private static let ipv4Body: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb]

    @Test func `version 1 names the client`() throws {
        let line = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"
        let header = try parse(Array((line + "GET /").utf8))
        #expect(header?.source == ipv4(0xc000_0201, port: 56324))
        #expect(header?.byteCount == line.utf8.count)
    }

    @Test(
        arguments: [
            ("::1", 0, 1), ("::", 0, 0), ("2001:db8::7", 0x2001_0db8_0000_0000, 7),
            ("2001:DB8:1:2:3:4:5:6", 0x2001_0db8_0001_0002, 0x0003_0004_0005_0006),
            ("1::", 0x0001_0000_0000_0000, 0), ("::ffff:192.0.2.1", 0, 0xffff_c000_0201),
            ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004, 0x0005_0006_0007_0000),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004, 0x0005_0006_0007_0008),
        ] as [(String, UInt64, UInt64)])
    func `version 1 reads IPv6 in every spelling`(text: String, high: UInt64, low: UInt64) throws {
        let header = try parse(Array("PROXY TCP6 \(text) ::1 1 2\r\n".utf8))
        #expect(header?.source == .address(high: high, low: low, port: 1))
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 anything at all 7\r\n"])
    func `an unknown source leaves the peer in place`(line: String) throws {
        let header = try parse(Array(line.utf8))
        #expect(header == ProxyProtocolHeader(source: .peer, byteCount: line.utf8.count))
    }

    @Test(arguments: [
        "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4.5 5.6.7.8 1 2\r\n", "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 256.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY TCP6 ::1::2 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
        "PROXY TCP6 1:2:3:4:5:6:7:8:: ::1 1 2\r\n", "PROXY TCP6 12345::1 ::1 1 2\r\n",
        "PROXY TCP6 ::1: ::1 1 2\r\n", "PROXY TCP6 :1::1 ::1 1 2\r\n", "PROXY TCP6 : ::1 1 2\r\n",
        "PROXY TCP6 ::: ::1 1 2\r\n", "PROXY TCP6 1:2:3:4:5:6:7:1.2.3.4 ::1 1 2\r\n",
        "PROXY TCP6 ::g ::1 1 2\r\n", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "PROXY tcp4\r\n",
        "PROXY TCP4\r\n", "PROXY \r\n", "PROXY UNKNOWN\n", "PROXY UNKNOWN\rX",
        "PROXY UNKNOWN \0\r\n", "PROXY UNKNOWN \u{e9}\r\n",
    ])
    func `a line that no correct sender writes is refused`(line: String) {
        #expect(throws: ProxyProtocolError.malformed) { try parse(Array(line.utf8)) }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "PROXX", "proxy TCP4", " PROXY", "\r\n\r\nX", "\0"])
    func `anything else is no PROXY protocol, as soon as it shows`(text: String) {
        #expect(throws: ProxyProtocolError.notProxyProtocol) { try parse(Array(text.utf8)) }
    }

    @Test func `a line ends within 107 bytes`() throws {
        func line(_ count: Int) -> [UInt8] {
            Array("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x78, count: count - 16)
                + [0x0d, 0x0a]
        }
        #expect(try parse(line(107))?.byteCount == 107)
        #expect(throws: ProxyProtocolError.tooLong) { try parse(line(108)) }
        #expect(throws: ProxyProtocolError.tooLong) { try parse(line(109)) }
        #expect(throws: ProxyProtocolError.tooLong) { try parse(Array(line(400).dropLast(2))) }
    }

    @Test func `version 2 names IPv4, IPv6 and unix clients`() throws {
        let first = try parse(Self.binary(0x21, 0x11, Self.ipv4Body) + [0x47])
        #expect(first == .init(source: ipv4(0xc000_0201, port: 56324), byteCount: 28))
        let body = Array(1...16) + [UInt8](repeating: 9, count: 16) + [0, 80, 1, 187]
        let second = try parse(Self.binary(0x21, 0x21, body))
        let source = ProxyProtocolHeader.Source.address(
            high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10, port: 80)
        #expect(second == .init(source: source, byteCount: 52))
        let third = try parse(Self.binary(0x21, 0x31, [UInt8](repeating: 0, count: 216)))
        #expect(third == .init(source: .unix, byteCount: 232))
    }

    @Test func `local and unspecified leave the peer in place and skip the rest`() throws {
        #expect(try parse(Self.binary(0x20, 0x00, [])) == .init(source: .peer, byteCount: 16))
        #expect(try parse(Self.binary(0x20, 0xff, [1, 2])) == .init(source: .peer, byteCount: 18))
        #expect(try parse(Self.binary(0x21, 0x00, [1, 2])) == .init(source: .peer, byteCount: 18))
    }

    @Test func `extensions are skipped within the length`() throws {
        let extensions: [UInt8] = [0x04, 0, 2, 7, 7, 0x03, 0, 0]
        let header = try parse(Self.binary(0x21, 0x11, Self.ipv4Body + extensions))
        #expect(header?.byteCount == 36)
        for cut in [1, 2, 4, 6, 7] {
            let body = Self.ipv4Body + extensions.prefix(cut)
            #expect(throws: ProxyProtocolError.malformed) {
                try parse(Self.binary(0x21, 0x11, body))
            }
        }
    }

    @Test(arguments: [
        binary(0x22, 0x11, ipv4Body), binary(0x11, 0x11, ipv4Body), binary(0x21, 0x12, ipv4Body),
        binary(0x21, 0x13, ipv4Body), binary(0x21, 0x41, ipv4Body), binary(0x21, 0x21, ipv4Body),
        binary(0x21, 0x11, Array(ipv4Body.dropLast())), binary(0x21, 0x31, ipv4Body),
    ])
    func `a binary header that no correct sender writes is refused`(bytes: [UInt8]) {
        #expect(throws: ProxyProtocolError.malformed) { try parse(bytes) }
    }

    @Test func `a binary header beyond its bound is refused before it arrives`() {
        let head = Self.signature + [0x21, 0x11, 0x10, 0x01]
        #expect(throws: ProxyProtocolError.tooLong) { try parse(head) }
    }

    @Test(arguments: [
        Array("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".utf8),
        Array("PROXY TCP6 ::1 ::ffff:1.2.3.4 1 65535\r\n".utf8), Array("PROXY UNKNOWN\r\n".utf8),
        binary(0x21, 0x11, ipv4Body + [1, 0, 1, 0]), binary(0x20, 0, []),
    ])
    func `every part of a header is incomplete, never wrong`(bytes: [UInt8]) throws {
        for count in 0..<bytes.count { #expect(try parse(Array(bytes.prefix(count))) == nil) }
        #expect(try parse(bytes)?.byteCount == bytes.count)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `a refusal is final and an answer ignores what follows`(seed: UInt64) {
        var state = seed
        func draw(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let samples = [
            Array("PROXY TCP6 2001:db8::7 ::1 56324 443\r\nGET".utf8),
            Self.binary(0x21, 0x11, Self.ipv4Body + [1, 0, 1, 0]) + [1, 2, 3],
        ]
        var bytes = samples[draw(2)]
        for _ in 0..<draw(4) { bytes[draw(bytes.count)] = UInt8(draw(256)) }
        var settled: Result<ProxyProtocolHeader?, ProxyProtocolError>?
        for count in 0...bytes.count {
            let result = Result { () throws(ProxyProtocolError) in
                try parse(Array(bytes.prefix(count)))
            }
            if let settled { #expect(result == settled, "seed \(seed), \(count) bytes") }
            if result != .success(nil) { settled = result }
        }
    }
}
