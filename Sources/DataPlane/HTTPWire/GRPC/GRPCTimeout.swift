// `grpc-timeout` (gRPC over HTTP/2): up to eight digits and a unit. A client says with it how long
// it will wait, and every hop says so to the next, less what has passed.

package enum GRPCTimeout {
    /// Nanoseconds; nil for what is no timeout. What no clock can count is as good as for ever.
    package static func parse(_ bytes: RawSpan, _ value: Slice) -> Int64? {
        guard value.count >= 2, value.count <= 9,
            let unit = nanoseconds(bytes.byte(value.end &- 1))
        else { return nil }
        var number: Int64 = 0
        for index in value.start..<(value.end &- 1) {
            let digit = bytes.byte(index) &- 0x30
            guard digit < 10 else { return nil }
            number = number &* 10 &+ Int64(digit)
        }
        let (product, overflows) = number.multipliedReportingOverflow(by: unit)
        return overflows ? Int64.max : product
    }

    /// Writes what is left, in the finest unit that eight digits hold, rounded up: a hop never
    /// makes it less, nor nothing.
    package static func append(_ nanoseconds: Int64, to head: inout HeadBuffer) {
        var rest = max(1, nanoseconds)
        // n, u, m, S, M, H, each with what it takes to make one of the next.
        let units: InlineArray<6, UInt8> = [0x6E, 0x75, 0x6D, 0x53, 0x4D, 0x48]
        let factors: InlineArray<6, Int64> = [1_000, 1_000, 1_000, 60, 60, 1]
        var place = 0
        while rest > 99_999_999 {
            // Nanoseconds of 64 bits are below eight digits of hours.
            rest = rest / factors[place] &+ (rest % factors[place] > 0 ? 1 : 0)
            place &+= 1
        }
        head.appendDecimal(UInt64(rest))
        head.append(units[place])
    }

    private static func nanoseconds(_ unit: UInt8) -> Int64? {
        switch unit {
        case 0x6E: 1
        case 0x75: 1_000
        case 0x6D: 1_000_000
        case 0x53: 1_000_000_000
        case 0x4D: 60_000_000_000
        case 0x48: 3_600_000_000_000
        default: nil
        }
    }
}
