// `x-request-timeout`: how long a client will wait, as a duration with a unit (`250ms`, `1.5s`,
// `2m`, `1h`) or as seconds without one. Every hop passes on what is left of it.

package enum RequestTimeout {
    /// Nanoseconds; nil for what is no such duration, or is longer than a thousand hours.
    package static func parse(_ bytes: RawSpan, _ value: Slice) -> Int64? {
        var position = value.start
        var whole: Int64 = 0
        var digits = 0
        while position < value.end, ByteClass.isDigit(bytes.byte(position)) {
            whole = whole &* 10 &+ Int64(bytes.byte(position) &- 0x30)
            digits &+= 1
            position &+= 1
            if digits > 9 { return nil }
        }
        // The fraction in billionths.
        var fraction: Int64 = 0
        if position < value.end, bytes.byte(position) == 0x2E {
            position &+= 1
            var scale: Int64 = 100_000_000
            let start = position
            while position < value.end, ByteClass.isDigit(bytes.byte(position)) {
                fraction &+= Int64(bytes.byte(position) &- 0x30) &* scale
                scale /= 10
                position &+= 1
            }
            if position == start { return nil }
        }
        guard digits > 0, let unit = unit(bytes, position, value.end) else { return nil }
        guard whole <= 3_600_000_000_000_000 / unit else { return nil }
        return whole &* unit &+ fraction / (1_000_000_000 / min(unit, 1_000_000_000))
            &* max(1, unit / 1_000_000_000)
    }

    private static func unit(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Int64? {
        switch end &- start {
        case 0: return 1_000_000_000
        case 1:
            switch bytes.byte(start) {
            case 0x73: return 1_000_000_000
            case 0x6D: return 60_000_000_000
            case 0x68: return 3_600_000_000_000
            default: return nil
            }
        case 2:
            guard bytes.byte(start &+ 1) == 0x73 else { return nil }
            switch bytes.byte(start) {
            case 0x6D: return 1_000_000
            case 0x75: return 1_000
            case 0x6E: return 1
            default: return nil
            }
        default: return nil
        }
    }

    /// Writes what is left in milliseconds, at least one.
    package static func append(_ nanoseconds: Int64, to head: inout HeadBuffer) {
        head.appendDecimal(UInt64(max(1, nanoseconds / 1_000_000)))
        head.append("ms")
    }
}
