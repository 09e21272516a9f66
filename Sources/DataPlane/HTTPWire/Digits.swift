// Eight digits at a time, as the bytes of a word, the highest digit in the lowest byte: identifiers
// have up to forty-eight digits, which one by one were 3 % of a small request's CPU.

package enum Digits {
    /// Lower case.
    package static func hex(_ value: UInt32) -> UInt64 {
        // From bytes to sixteen bits each, then the two halves of a byte to a byte each.
        var lanes = UInt64(value.byteSwapped)
        lanes = (lanes | lanes &<< 16) & 0x0000_FFFF_0000_FFFF
        lanes = (lanes | lanes &<< 8) & 0x00FF_00FF_00FF_00FF
        let low = lanes & 0x000F_000F_000F_000F
        let digits = (lanes &>> 4) & 0x000F_000F_000F_000F | low &<< 8
        return digits &+ Word.all(0x30) &+ above(digits, 9) &* 0x27
    }

    /// Of the low 40 bits, in Crockford's alphabet: no I, L, O and U.
    package static func base32(_ value: UInt64) -> UInt64 {
        // The upper halves of 40 bits, then of 20 and of 10, move up to lanes of their own.
        var lanes = value & 0xF_FFFF | (value & 0xFF_FFF0_0000) &<< 12
        lanes = lanes & 0x0000_03FF_0000_03FF | (lanes & 0x000F_FC00_000F_FC00) &<< 6
        lanes = lanes & 0x001F_001F_001F_001F | (lanes & 0x03E0_03E0_03E0_03E0) &<< 3
        let digits = lanes.byteSwapped
        let skipped =
            above(digits, 17) &+ above(digits, 19) &+ above(digits, 21) &+ above(digits, 26)
        return digits &+ Word.all(0x30) &+ above(digits, 9) &* 7 &+ skipped
    }

    /// 1 in every byte above `limit`, 0 elsewhere. Bytes and limit are below 0x80.
    @inline(__always) private static func above(_ word: UInt64, _ limit: UInt8) -> UInt64 {
        ((word &+ Word.all(0x7F &- limit)) & Word.high) &>> 7
    }
}
