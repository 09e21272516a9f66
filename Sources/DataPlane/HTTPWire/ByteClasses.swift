// Which bytes may stand where, as 128-bit sets in two words: a shift and a mask, no table in
// memory.

package enum ByteClass {
    /// RFC 9110 5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always) package static func isToken(_ byte: UInt8) -> Bool {
        contains(byte, 0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
    }

    /// RFC 3986 3.2.2 without `%`: letters, digits, `-._~` and the sub-delimiters.
    @inline(__always) package static func isRegisteredName(_ byte: UInt8) -> Bool {
        contains(byte, 0x2BFF_7FD2_0000_0000, 0x47FF_FFFE_87FF_FFFE)
    }

    @inline(__always) package static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    @inline(__always) package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// RFC 9110 5.5: visible, space, HTAB, or beyond ASCII.
    @inline(__always) package static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    @inline(__always) package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// The digit's value, or 16 and more when it is none.
    @inline(__always) package static func hexValue(_ byte: UInt8) -> UInt8 {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : 0xFF
    }

    @inline(__always)
    private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        guard byte < 0x80 else { return false }
        return ((byte < 64 ? low : high) &>> UInt64(byte & 63)) & 1 != 0
    }
}
