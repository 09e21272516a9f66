// `HTTP-version SP status-code SP [ reason-phrase ] CRLF` (RFC 9112 4). The second space is not
// optional, and the code has three digits from 100 to 599.

enum StatusLine {
    /// Fills in version, status and reason; returns where the fields begin, nil while incomplete.
    @inline(__always)
    static func read(
        _ bytes: RawSpan, into head: inout ResponseHead
    ) throws(WireError) -> Int? {
        guard bytes.byteCount >= 13 else {
            guard isPrefix(bytes) else { throw .badStatusLine }
            return nil
        }
        switch bytes.word(0) {
        case HTTPVersion.oneDotOne: head.minorVersion = 1
        case HTTPVersion.oneDotZero: head.minorVersion = 0
        default: throw HTTPVersion.error(bytes, from: 0, malformed: .badStatusLine)
        }
        guard isPrefix(bytes) else { throw .badStatusLine }
        let hundreds = UInt16(bytes.byte(9) &- 0x30) &* 100
        let tens = UInt16(bytes.byte(10) &- 0x30) &* 10
        head.status = hundreds &+ tens &+ UInt16(bytes.byte(11) &- 0x30)
        return try readReason(bytes, into: &head)
    }

    /// Whether what there is of the first thirteen bytes can be a version, a code and two spaces.
    private static func isPrefix(_ bytes: RawSpan) -> Bool {
        guard HTTPVersion.isPrefix(bytes, from: 0) else { return false }
        for index in 8..<max(8, min(13, bytes.byteCount)) {
            let byte = bytes.byte(index)
            switch index {
            case 8, 12: guard byte == 0x20 else { return false }
            case 9: guard byte >= 0x31, byte <= 0x35 else { return false }
            default: guard ByteClass.isDigit(byte) else { return false }
            }
        }
        return true
    }

    private static func readReason(
        _ bytes: RawSpan, into head: inout ResponseHead
    ) throws(WireError) -> Int? {
        var position = 13
        while position < bytes.byteCount {
            let byte = bytes.byte(position)
            if byte == 0x0D {
                guard position &+ 1 < bytes.byteCount else { return nil }
                guard bytes.byte(position &+ 1) == 0x0A else { throw .bareCarriageReturn }
                head.reason = Slice(from: 13, to: position)
                return position &+ 2
            }
            guard ByteClass.isText(byte) else {
                throw byte == 0x0A ? .bareLineFeed : .badStatusLine
            }
            position &+= 1
        }
        return nil
    }
}
