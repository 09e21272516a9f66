// The PROXY protocol header a trusted balancer puts before a connection's own bytes: version 1 is
// a line of text, version 2 binary (haproxy.org, proxy-protocol.txt, 2020). Required where it is
// configured and never guessed. Strict: any header that a correct sender would not write is
// refused, and so is one longer than its bound.

package struct ProxyProtocolHeader: Equatable, Sendable {
    /// Whose connection it is.
    package enum Source: Equatable, Sendable {
        /// The sender speaks for itself (LOCAL, UNKNOWN): the peer of the socket counts.
        case peer
        /// IPv4 as ::ffff:a.b.c.d.
        case address(high: UInt64, low: UInt64, port: UInt16)
        case unix
    }

    package var source: Source
    /// What the header took of the bytes.
    package var byteCount: Int

    package init(source: Source, byteCount: Int) {
        self.source = source
        self.byteCount = byteCount
    }
}

package enum ProxyProtocolError: Error, Equatable, Sendable {
    /// Neither version's first bytes.
    case notProxyProtocol
    case malformed
    case tooLong
}

package enum ProxyProtocolParser {
    /// The longest line of version 1 by its specification, CRLF included.
    package static let textBytesMax = 107
    /// Fixed part of version 2: signature, command, family, length.
    package static let binaryHeadBytes = 16
    /// Addresses (at most 216 bytes) and TLVs. Certificates' names and a few identifiers stay
    /// below 1 KiB; 4 KiB leaves room and bounds what a connection can make us keep.
    package static let binaryBodyBytesMax = 4_096

    /// Nil while the header is incomplete and so far flawless. Start over with all bytes so far.
    package static func parse(
        _ bytes: RawSpan
    ) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
        guard bytes.byteCount > 0 else { return nil }
        if bytes.byte(0) == 0x50 { return try Text.parse(bytes) }
        return try ProxyProtocolBinary.parse(bytes)
    }
}

enum ProxyProtocolBinary {
    /// Twelve bytes that no text protocol begins with: `\r\n\r\n\0\r\nQUIT\n`.
    private static let signature: InlineArray<12, UInt8> = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    static func parse(
        _ bytes: RawSpan
    ) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
        for index in 0..<min(12, bytes.byteCount) where bytes.byte(index) != signature[index] {
            throw .notProxyProtocol
        }
        if bytes.byteCount > 12 {
            // Version 2, LOCAL (0) or PROXY (1).
            guard bytes.byte(12) == 0x20 || bytes.byte(12) == 0x21 else { throw .malformed }
        }
        guard bytes.byteCount >= ProxyProtocolParser.binaryHeadBytes else { return nil }
        let length = Int(number(bytes, at: 14, bytes: 2))
        guard length <= ProxyProtocolParser.binaryBodyBytesMax else { throw .tooLong }
        let isLocal = bytes.byte(12) == 0x20
        let addressBytes = try isLocal ? 0 : addressBytes(family: bytes.byte(13))
        guard length >= addressBytes else { throw .malformed }
        let end = ProxyProtocolParser.binaryHeadBytes + length
        guard bytes.byteCount >= end else { return nil }
        // LOCAL carries no address that counts, whatever its length: skipped whole.
        if isLocal { return ProxyProtocolHeader(source: .peer, byteCount: end) }
        try checkExtensions(bytes, from: 16 + addressBytes, to: end, family: bytes.byte(13))
        return ProxyProtocolHeader(source: source(bytes), byteCount: end)
    }

    /// Streams only: we accept no datagrams.
    private static func addressBytes(family: UInt8) throws(ProxyProtocolError) -> Int {
        switch family {
        case 0x00: 0
        case 0x11: 12
        case 0x21: 36
        case 0x31: 216
        default: throw .malformed
        }
    }

    private static func source(_ bytes: RawSpan) -> ProxyProtocolHeader.Source {
        switch bytes.byte(13) {
        case 0x11:
            .address(
                high: 0, low: 0xffff_0000_0000 | number(bytes, at: 16, bytes: 4),
                port: UInt16(number(bytes, at: 24, bytes: 2)))
        case 0x21:
            .address(
                high: number(bytes, at: 16, bytes: 8), low: number(bytes, at: 24, bytes: 8),
                port: UInt16(number(bytes, at: 48, bytes: 2)))
        case 0x31: .unix
        default: .peer
        }
    }

    /// Type-length-value records must fill the rest exactly. Of an unspecified family nothing is
    /// known about the rest, and the specification wants it skipped.
    private static func checkExtensions(
        _ bytes: RawSpan, from start: Int, to end: Int, family: UInt8
    ) throws(ProxyProtocolError) {
        guard family != 0 else { return }
        var offset = start
        while offset < end {
            guard end - offset >= 3 else { throw .malformed }
            offset += 3 + Int(number(bytes, at: offset + 1, bytes: 2))
        }
        guard offset == end else { throw .malformed }
    }

    /// Network byte order.
    private static func number(_ bytes: RawSpan, at offset: Int, bytes count: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in offset..<(offset + count) { value = value << 8 | UInt64(bytes.byte(index)) }
        return value
    }
}
