// Version 1 of the PROXY protocol: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`. Addresses and
// ports are read as strictly as the specification writes them: no leading zeros, one space.

extension ProxyProtocolParser {
    enum Text {
        static func parse(
            _ bytes: RawSpan
        ) throws(ProxyProtocolError) -> ProxyProtocolHeader? {
            for (index, byte) in "PROXY ".utf8.enumerated() where index < bytes.byteCount {
                guard bytes.byte(index) == byte else { throw .notProxyProtocol }
            }
            guard let end = try lineEnd(bytes) else { return nil }
            var reader = LineReader(start: 6, end: end)
            let word = reader.word(bytes)
            if isWord(bytes, word, "UNKNOWN") {
                // Whatever follows on the line is to be ignored.
                return ProxyProtocolHeader(source: .peer, byteCount: end + 2)
            }
            let isIPv4 = isWord(bytes, word, "TCP4")
            guard isIPv4 || isWord(bytes, word, "TCP6") else { throw .malformed }
            let source = try address(bytes, reader.word(bytes), isIPv4: isIPv4)
            _ = try address(bytes, reader.word(bytes), isIPv4: isIPv4)
            let port = try port(bytes, reader.word(bytes))
            _ = try self.port(bytes, reader.word(bytes))
            guard reader.isAtEnd else { throw .malformed }
            return ProxyProtocolHeader(
                source: .address(high: source.high, low: source.low, port: port), byteCount: end + 2
            )
        }

        /// Offset of the CRLF; printable ASCII before it, and all of it within the bound.
        private static func lineEnd(_ bytes: RawSpan) throws(ProxyProtocolError) -> Int? {
            for offset in 0..<min(bytes.byteCount, ProxyProtocolParser.textBytesMax) {
                let byte = bytes.byte(offset)
                if byte == 0x0d {
                    guard offset + 2 <= ProxyProtocolParser.textBytesMax else { throw .tooLong }
                    guard offset + 1 < bytes.byteCount else { return nil }
                    guard bytes.byte(offset + 1) == 0x0a else { throw .malformed }
                    return offset
                }
                guard byte >= 0x20, byte < 0x7f else { throw .malformed }
            }
            if bytes.byteCount >= ProxyProtocolParser.textBytesMax { throw .tooLong }
            return nil
        }

        private static func isWord(
            _ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString
        ) -> Bool {
            guard range.count == text.utf8CodeUnitCount else { return false }
            for index in 0..<range.count {
                if unsafe bytes.byte(range.lowerBound + index) != text.utf8Start[index] {
                    return false
                }
            }
            return true
        }

        private static func port(
            _ bytes: RawSpan, _ range: Range<Int>
        ) throws(ProxyProtocolError) -> UInt16 {
            guard let value = AddressText.decimal(bytes, range, max: 65_535) else {
                throw .malformed
            }
            return UInt16(value)
        }

        private static func address(
            _ bytes: RawSpan, _ range: Range<Int>, isIPv4: Bool
        ) throws(ProxyProtocolError) -> (high: UInt64, low: UInt64) {
            if isIPv4 {
                guard let address = AddressText.ipv4(bytes, range) else { throw .malformed }
                return (0, 0xffff_0000_0000 | UInt64(address))
            }
            guard let address = AddressText.ipv6(bytes, range) else { throw .malformed }
            return address
        }
    }
}

/// Words between single spaces.
private struct LineReader {
    private var offset: Int
    private let end: Int
    /// The last word ended with the line.
    private(set) var isAtEnd = false

    init(start: Int, end: Int) {
        offset = start
        self.end = end
    }

    /// Empty where no word is: nothing accepts an empty one.
    mutating func word(_ bytes: RawSpan) -> Range<Int> {
        guard !isAtEnd else { return 0..<0 }
        var stop = offset
        while stop < end, bytes.byte(stop) != 0x20 { stop += 1 }
        defer {
            isAtEnd = stop == end
            offset = stop + 1
        }
        return offset..<stop
    }
}
