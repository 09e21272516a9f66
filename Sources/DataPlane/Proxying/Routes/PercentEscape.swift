// One `%41` of a path (RFC 3986, 2.1).

import HTTPWire

struct PercentEscape {
    let byte: UInt8

    /// Nil when no well-formed escape stands at `offset` and ends before `end`.
    @inline(__always)
    init?(_ bytes: RawSpan, at offset: Int, end: Int) {
        guard end &- offset >= 3, bytes.byte(offset) == 0x25,
            let high = PercentEscape.digit(bytes.byte(offset &+ 1)),
            let low = PercentEscape.digit(bytes.byte(offset &+ 2))
        else { return nil }
        byte = high << 4 | low
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }
}
