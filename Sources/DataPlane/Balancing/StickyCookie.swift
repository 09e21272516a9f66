// The session cookie: when it was issued, which endpoint it belongs to, and a signature. The tag is
// a keyed hash, so the cookie reveals no address and cannot be made or altered without the key.
// Its length is fixed: ten hexadecimal digits of time, sixteen of tag, sixteen of signature.

package enum StickyCookie {
    package static let length = 42

    /// The cookie's value; every byte is a lower-case hexadecimal digit.
    package static func make(
        tag: UInt64, wallSeconds: Int64, key: StickyKey
    ) -> InlineArray<42, UInt8> {
        let issued = UInt64(truncatingIfNeeded: wallSeconds) & timeMask
        var value = InlineArray<42, UInt8>(repeating: 0)
        write(issued, digits: 10, to: &value, at: 0)
        write(tag, digits: 16, to: &value, at: 10)
        write(signature(issued, tag, key), digits: 16, to: &value, at: 26)
        return value
    }

    /// The endpoint's tag, if the cookie is ours, unaltered and not older than `lifetimeSeconds`.
    package static func read(
        _ value: RawSpan, key: StickyKey, wallSeconds: Int64, lifetimeSeconds: Int64
    ) -> UInt64? {
        guard value.byteCount == length,
            let issued = number(value, at: 0, digits: 10),
            let tag = number(value, at: 10, digits: 16),
            let signed = number(value, at: 26, digits: 16)
        else { return nil }
        // One comparison of whole words: its time says nothing about which digit differs.
        guard signed ^ signature(issued, tag, key) == 0 else { return nil }
        let age = wallSeconds - Int64(issued)
        // A minute of grace for clocks that were set back.
        return age >= -60 && age <= lifetimeSeconds ? tag : nil
    }

    private static let timeMask: UInt64 = 0xff_ffff_ffff

    private static func signature(_ issued: UInt64, _ tag: UInt64, _ key: StickyKey) -> UInt64 {
        // The top byte keeps this hash apart from every other use of the key.
        SipHash.hash(issued | 0x53 << 56, tag, key: key)
    }

    private static func write(
        _ number: UInt64, digits: Int, to value: inout InlineArray<42, UInt8>, at offset: Int
    ) {
        for index in 0..<digits {
            let nibble = UInt8(truncatingIfNeeded: number &>> UInt64(4 * (digits - 1 - index))) & 15
            value[offset + index] = nibble < 10 ? 48 + nibble : 87 + nibble
        }
    }

    private static func number(_ bytes: RawSpan, at offset: Int, digits: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in offset..<offset + digits {
            switch byte(bytes, at: index) {
            case let digit where digit >= 48 && digit <= 57:
                number = number << 4 | UInt64(digit - 48)
            case let letter where letter >= 97 && letter <= 102:
                number = number << 4 | UInt64(letter - 87)
            default: return nil
            }
        }
        return number
    }
}
