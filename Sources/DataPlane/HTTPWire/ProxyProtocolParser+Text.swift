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
            guard let value = decimal(bytes, range, max: 65_535) else { throw .malformed }
            return UInt16(value)
        }

        /// Digits only, without leading zeros.
        static func decimal(_ bytes: RawSpan, _ range: Range<Int>, max: Int) -> Int? {
            guard (1...5).contains(range.count) else { return nil }
            if range.count > 1, bytes.byte(range.lowerBound) == 0x30 { return nil }
            var value = 0
            for offset in range {
                let digit = Int(bytes.byte(offset)) - 0x30
                guard (0...9).contains(digit) else { return nil }
                value = value * 10 + digit
            }
            return value <= max ? value : nil
        }

        private static func address(
            _ bytes: RawSpan, _ range: Range<Int>, isIPv4: Bool
        ) throws(ProxyProtocolError) -> (high: UInt64, low: UInt64) {
            if isIPv4 {
                guard let address = ipv4(bytes, range) else { throw .malformed }
                return (0, 0xffff_0000_0000 | UInt64(address))
            }
            var reader = IPv6Reader(range)
            guard let address = reader.read(bytes) else { throw .malformed }
            return address
        }

        static func ipv4(_ bytes: RawSpan, _ range: Range<Int>) -> UInt32? {
            var address: UInt32 = 0
            var start = range.lowerBound
            for part in 0..<4 {
                var end = start
                while end < range.upperBound, bytes.byte(end) != 0x2e { end += 1 }
                guard let value = decimal(bytes, start..<end, max: 255) else { return nil }
                guard part == 3 ? end == range.upperBound : end < range.upperBound else {
                    return nil
                }
                address = address << 8 | UInt32(value)
                start = end + 1
            }
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

/// RFC 4291, 2.2: eight groups, one `::` for one group of zeros or more, maybe dotted at the end.
private struct IPv6Reader {
    private let range: Range<Int>
    private var offset: Int
    private var groups = InlineArray<8, UInt16>(repeating: 0)
    private var count = 0
    /// Groups read before the `::`; -1 when there was none.
    private var gap = -1

    init(_ range: Range<Int>) {
        self.range = range
        offset = range.lowerBound
    }

    mutating func read(_ bytes: RawSpan) -> (high: UInt64, low: UInt64)? {
        if isColon(bytes, offset) {
            guard isColon(bytes, offset + 1) else { return nil }
            gap = 0
            offset += 2
        }
        while offset < range.upperBound {
            guard count < 8, group(bytes) else { return nil }
        }
        guard gap < 0 ? count == 8 : count < 8 else { return nil }
        return spread()
    }

    private func isColon(_ bytes: RawSpan, _ offset: Int) -> Bool {
        offset < range.upperBound && bytes.byte(offset) == 0x3a
    }

    /// One group and the colon behind it.
    private mutating func group(_ bytes: RawSpan) -> Bool {
        var value: UInt16 = 0
        var end = offset
        while end < range.upperBound, let digit = digit(bytes.byte(end)) {
            guard end - offset < 4 else { return false }
            value = value << 4 | digit
            end += 1
        }
        if end < range.upperBound, bytes.byte(end) == 0x2e { return dotted(bytes) }
        guard end > offset else { return false }
        groups[count] = value
        count += 1
        offset = end
        if offset == range.upperBound { return true }
        guard isColon(bytes, offset) else { return false }
        offset += 1
        if isColon(bytes, offset) {
            guard gap < 0 else { return false }
            gap = count
            offset += 1
            return true
        }
        // A single colon at the end leads nowhere.
        return offset < range.upperBound
    }

    private mutating func dotted(_ bytes: RawSpan) -> Bool {
        guard count <= 6,
            let address = ProxyProtocolParser.Text.ipv4(bytes, offset..<range.upperBound)
        else { return false }
        groups[count] = UInt16(truncatingIfNeeded: address >> 16)
        groups[count + 1] = UInt16(truncatingIfNeeded: address)
        count += 2
        offset = range.upperBound
        return true
    }

    private func digit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte - 0x30)
        case 0x41...0x46: UInt16(byte - 0x37)
        case 0x61...0x66: UInt16(byte - 0x57)
        default: nil
        }
    }

    private func spread() -> (high: UInt64, low: UInt64) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        let zeros = 8 - count
        for place in 0..<8 {
            let isGap = gap >= 0 && place >= gap && place < gap + zeros
            let source = gap >= 0 && place >= gap + zeros ? place - zeros : place
            let group = isGap ? 0 : UInt64(groups[source])
            if place < 4 { high = high << 16 | group } else { low = low << 16 | group }
        }
        return (high, low)
    }
}
