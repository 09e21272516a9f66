// JSON written into memory that was allocated once: what the access log needs and no more. Texts
// may be any bytes at all; what comes out is always valid JSON in valid UTF-8.

import Reactor

@safe
struct JSONText: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(capacity: Int) {
        unsafe memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        unsafe memory.deallocate()
    }

    /// Valid until the next change.
    var bytes: Bytes {
        unsafe Bytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
    }

    mutating func removeAll() {
        count = 0
    }

    mutating func append(_ text: StaticString) {
        appendPlain(Bytes(text))
    }

    /// Bytes that are known to need no escape.
    mutating func appendPlain(_ bytes: Bytes) {
        expect(bytes.count)
        guard let start = unsafe memory.baseAddress, let from = unsafe bytes.buffer.baseAddress
        else { return }
        unsafe (start + count).copyMemory(from: from, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func appendDecimal(_ value: UInt64) {
        expect(20)
        var digits = 1
        var power: UInt64 = 10
        while digits < 20 && value >= power {
            digits += 1
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        appendDecimal(value, digits: digits)
    }

    /// The last `digits` digits, with leading zeros.
    mutating func appendDecimal(_ value: UInt64, digits: Int) {
        expect(digits)
        var rest = value
        for place in (0..<digits).reversed() {
            unsafe memory[count + place] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
        count += digits
    }

    /// Nanoseconds as milliseconds with three decimals; negative ones count as zero.
    mutating func appendMilliseconds(_ nanoseconds: Int64) {
        let micros = UInt64(max(0, nanoseconds)) / 1000
        appendDecimal(micros / 1000)
        append(".")
        appendDecimal(micros % 1000, digits: 3)
    }

    mutating func appendAddress(_ address: PeerAddress) {
        expect(PeerAddress.textBytesMax)
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
        count += unsafe address.write(into: room)
    }

    /// The content of a JSON string: at most `limit` bytes of `text`, with what JSON does not take
    /// as it is escaped. A byte that is not part of valid UTF-8 is shown as the character of its
    /// number, so that nothing is lost.
    mutating func appendEscaped(_ text: Bytes, limit: Int) {
        let end = min(text.count, limit)
        expect(6 * end)
        var position = 0
        while position < end {
            if position + 8 <= end, putEightPlain(text, at: position) {
                position += 8
                continue
            }
            let byte = unsafe text.buffer[position]
            if byte >= 0x80 {
                let length = UTF8Sequence.length(in: text, at: position, end: end)
                if length > 0 {
                    for index in 0..<length { put(unsafe text.buffer[position + index]) }
                    position += length
                    continue
                }
                putEscape(byte)
            } else if byte == 0x22 || byte == 0x5c {
                put(0x5c)
                put(byte)
            } else if byte < 0x20 || byte == 0x7f {
                putEscape(byte)
            } else {
                put(byte)
            }
            position += 1
        }
    }

    /// Copies eight bytes if each is printable ASCII that needs no escape, all eight tested in one
    /// word: the usual case, and half of the time of a line without it.
    @inline(__always)
    private mutating func putEightPlain(_ text: Bytes, at position: Int) -> Bool {
        let word = unsafe text.buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5c)
        let delete = word ^ (ones &* 0x7f)
        // A byte's high bit is set where the byte is below 0x20, zero after ^, or not ASCII. Bits
        // above the first may be false alarms: those bytes then take the slow way.
        let found =
            (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | (delete &- ones) | word
        guard found & (ones &* 0x80) == 0 else { return false }
        unsafe memory.storeBytes(of: word, toByteOffset: count, as: UInt64.self)
        count &+= 8
        return true
    }

    private mutating func putEscape(_ byte: UInt8) {
        append("\\u00")
        put(JSONText.hexDigit(byte >> 4))
        put(JSONText.hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        unsafe memory[count] = byte
        count &+= 1
    }

    @inline(__always)
    private func expect(_ more: Int) {
        precondition(unsafe count + more <= memory.count, "a line's texts are cut to fit")
    }
}

/// Well-formed UTF-8 after table 3-7 of the Unicode Standard.
enum UTF8Sequence {
    /// Bytes of the sequence of two to four bytes at `position`, or 0 if it is not one, or is not
    /// whole before `end`.
    static func length(in text: Bytes, at position: Int, end: Int) -> Int {
        let lead = unsafe text.buffer[position]
        let length =
            switch lead {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard length > 0, position + length <= end else { return 0 }
        guard secondBytes(after: lead).contains(unsafe text.buffer[position + 1]) else { return 0 }
        for index in 2..<max(2, length)
        where unsafe text.buffer[position + index] & 0xc0 != 0x80 { return 0 }
        return length
    }

    /// Narrower for some leads: no overlong forms, no surrogates, nothing beyond U+10FFFF.
    private static func secondBytes(after lead: UInt8) -> ClosedRange<UInt8> {
        switch lead {
        case 0xe0: 0xa0...0xbf
        case 0xed: 0x80...0x9f
        case 0xf0: 0x90...0xbf
        case 0xf4: 0x80...0x8f
        default: 0x80...0xbf
        }
    }
}
