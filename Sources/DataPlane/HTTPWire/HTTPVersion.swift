// `HTTP/1.1` and `HTTP/1.0` as eight bytes; everything else is a refusal of one kind or another.

enum HTTPVersion {
    /// The letters of `HTTP/1.1` and `HTTP/1.0`, first byte lowest.
    static var oneDotOne: UInt64 { 0x312E_312F_5054_5448 }
    static var oneDotZero: UInt64 { 0x302E_312F_5054_5448 }

    /// A well-formed version that is not ours, or garbage.
    @inline(never)
    static func error(_ bytes: RawSpan, from start: Int, malformed: WireError) -> WireError {
        isPrefix(bytes, from: start) ? .unsupportedVersion : malformed
    }

    /// Whether what there is of the next eight bytes can be `HTTP/` digit `.` digit.
    static func isPrefix(_ bytes: RawSpan, from start: Int) -> Bool {
        for index in 0..<min(8, bytes.byteCount &- start) {
            let byte = bytes.byte(start &+ index)
            let expected = UInt8(truncatingIfNeeded: oneDotOne &>> UInt64(index &* 8))
            let isNumber = index == 5 || index == 7
            guard isNumber ? ByteClass.isDigit(byte) : byte == expected else { return false }
        }
        return true
    }
}
