// `uri-host [ ":" port ]` (RFC 9110 7.2, RFC 3986 3.2.2): what Host and an absolute-form target may
// name. No user, no zone, no empty name; a port within 16 bits.

enum HostName {
    static func isValid(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        guard slice.count > 0, Int(slice.count) <= Limits.hostBytes else { return false }
        let isLiteral = bytes.byte(slice.start) == 0x5B
        let end = isLiteral ? literalEnd(bytes, slice) : nameEnd(bytes, slice)
        guard let end else { return false }
        return end == slice.end || isPort(bytes, Slice(from: end, to: slice.end))
    }

    /// `:` and up to five digits; RFC 3986 allows none.
    private static func isPort(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        guard bytes.byte(slice.start) == 0x3A, slice.count <= 6 else { return false }
        var port = 0
        for index in (slice.start &+ 1)..<slice.end {
            guard ByteClass.isDigit(bytes.byte(index)) else { return false }
            port = port &* 10 &+ Int(bytes.byte(index) &- 0x30)
        }
        return port <= 65_535
    }

    private static func nameEnd(_ bytes: RawSpan, _ slice: Slice) -> Int? {
        var position = slice.start
        while position < slice.end {
            let byte = bytes.byte(position)
            if byte == 0x25 {
                guard position &+ 2 < slice.end,
                    ByteClass.hexValue(bytes.byte(position &+ 1)) < 16,
                    ByteClass.hexValue(bytes.byte(position &+ 2)) < 16
                else { return nil }
                position &+= 3
                continue
            }
            if byte == 0x3A { break }
            guard ByteClass.isRegisteredName(byte) else { return nil }
            position &+= 1
        }
        return position > slice.start ? position : nil
    }

    /// Past the `]` of an IPv6 address. IPvFuture is refused: no version of it exists.
    private static func literalEnd(_ bytes: RawSpan, _ slice: Slice) -> Int? {
        var position = slice.start &+ 1
        while position < slice.end, bytes.byte(position) != 0x5D { position &+= 1 }
        guard position < slice.end,
            isIPv6(bytes, Slice(from: slice.start &+ 1, to: position))
        else { return nil }
        return position &+ 1
    }

    /// Eight groups of up to four digits, one run of them perhaps `::`, the last two perhaps
    /// dotted.
    private static func isIPv6(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        var groups = 0
        var hasGap = false
        var position = slice.start
        if slice.count >= 2, bytes.byte(position) == 0x3A, bytes.byte(position &+ 1) == 0x3A {
            hasGap = true
            position &+= 2
        }
        while position < slice.end {
            let start = position
            while position < slice.end, ByteClass.hexValue(bytes.byte(position)) < 16 {
                position &+= 1
            }
            if position < slice.end, bytes.byte(position) == 0x2E {
                groups &+= 2
                guard isIPv4(bytes, Slice(from: start, to: slice.end)) else { return false }
                break
            }
            guard position > start, position &- start <= 4 else { return false }
            groups &+= 1
            if position == slice.end { break }
            guard bytes.byte(position) == 0x3A, position &+ 1 < slice.end else { return false }
            position &+= 1
            if bytes.byte(position) == 0x3A {
                guard !hasGap else { return false }
                hasGap = true
                position &+= 1
            }
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    private static func isIPv4(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        var octets = 0
        var digits = 0
        var value = 0
        for index in slice.start...slice.end {
            let byte = index < slice.end ? bytes.byte(index) : 0x2E
            if byte == 0x2E {
                guard digits > 0, value <= 255 else { return false }
                octets &+= 1
                digits = 0
                value = 0
            } else {
                // A leading zero would be octal to some.
                let isPadded = digits > 0 && value == 0
                guard ByteClass.isDigit(byte), digits < 3, !isPadded else { return false }
                value = value &* 10 &+ Int(byte &- 0x30)
                digits &+= 1
            }
        }
        return octets == 4
    }
}
