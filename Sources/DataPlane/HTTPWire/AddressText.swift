// Addresses in text, for the headers and lines that carry them. As strict as their specifications:
// no leading zeros, which some would read as octal, and no zone.

package enum AddressText {
    /// An element of `X-Forwarded-For`: an address, perhaps with a port and then IPv6 in brackets,
    /// perhaps in quotes (RFC 7239, 6). IPv4 comes as ::ffff:a.b.c.d; nil for anything else.
    package static func node(_ bytes: RawSpan) -> (high: UInt64, low: UInt64)? {
        var range = 0..<bytes.byteCount
        if range.count >= 2, bytes.byte(0) == 0x22 {
            guard bytes.byte(range.upperBound - 1) == 0x22 else { return nil }
            range = 1..<(range.upperBound - 1)
        }
        guard let first = range.first else { return nil }
        if bytes.byte(first) == 0x5B { return bracketed(bytes, range) }
        guard let colon = bytes.firstIndex(of: 0x3A, from: first, to: range.upperBound) else {
            return mapped(ipv4(bytes, range))
        }
        let further = bytes.firstIndex(of: 0x3A, from: colon + 1, to: range.upperBound)
        if further != nil || colon == first { return ipv6(bytes, range) }
        guard decimal(bytes, (colon + 1)..<range.upperBound, max: 65_535) != nil else { return nil }
        return mapped(ipv4(bytes, first..<colon))
    }

    private static func bracketed(
        _ bytes: RawSpan, _ range: Range<Int>
    ) -> (high: UInt64, low: UInt64)? {
        let start = range.lowerBound + 1
        guard let end = bytes.firstIndex(of: 0x5D, from: start, to: range.upperBound) else {
            return nil
        }
        if end + 1 < range.upperBound {
            guard bytes.byte(end + 1) == 0x3A,
                decimal(bytes, (end + 2)..<range.upperBound, max: 65_535) != nil
            else { return nil }
        }
        return ipv6(bytes, start..<end)
    }

    private static func mapped(_ address: UInt32?) -> (high: UInt64, low: UInt64)? {
        address.map { (0, 0xffff_0000_0000 | UInt64($0)) }
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

    static func ipv6(_ bytes: RawSpan, _ range: Range<Int>) -> (high: UInt64, low: UInt64)? {
        var reader = IPv6Reader(range)
        return reader.read(bytes)
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
            let address = AddressText.ipv4(bytes, offset..<range.upperBound)
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
