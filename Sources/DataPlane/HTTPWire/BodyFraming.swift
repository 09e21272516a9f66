// How long a body is, decided once from the head (RFC 9112 6.3). Both framings at once, a repeated
// length, or a coding other than exactly `chunked` is how messages are smuggled: all are refused.

package enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends where the connection does.
    case untilClose
}

extension BodyFraming {
    /// What the fields announce; nil when they announce nothing.
    @inline(__always)
    static func announced(
        by fields: borrowing FieldTable, of bytes: RawSpan, minorVersion: UInt8
    ) throws(WireError) -> BodyFraming? {
        let length = fields.first(.contentLength)
        let coding = fields.first(.transferEncoding)
        if coding >= 0 {
            guard length < 0 else { throw .contentLengthWithTransferEncoding }
            guard minorVersion == 1 else { throw .transferEncodingInHTTP10 }
            guard !fields.repeated.contains(.transferEncoding) else { throw .badTransferEncoding }
            try requireChunked(bytes, fields[coding].value)
            return .chunked
        }
        guard length >= 0 else { return nil }
        guard !fields.repeated.contains(.contentLength) else { throw .repeatedContentLength }
        return .length(try decimal(bytes, fields[length].value))
    }

    /// Digits only, and few enough: no sign, no list, no space within.
    private static func decimal(_ bytes: RawSpan, _ value: Slice) throws(WireError) -> UInt64 {
        guard value.count > 0, value.count <= 19 else { throw .badContentLength }
        var number: UInt64 = 0
        for index in value.start..<value.end {
            let byte = bytes.byte(index)
            guard ByteClass.isDigit(byte) else { throw .badContentLength }
            // Nineteen digits stay below 2⁶⁴.
            number = number &* 10 &+ UInt64(byte &- 0x30)
        }
        guard number <= Limits.bodyBytes else { throw .badContentLength }
        return number
    }

    private static func requireChunked(_ bytes: RawSpan, _ value: Slice) throws(WireError) {
        if bytes.equals(value, "chunked") { return }
        throw codingError(bytes, value)
    }

    /// 501 for a well-formed list that ends in `chunked` or never mentions it, 400 for all else.
    @inline(never)
    private static func codingError(_ bytes: RawSpan, _ value: Slice) -> WireError {
        var position = value.start
        var chunkedSeen = 0
        var codings = 0
        var lastIsChunked = false
        while position <= value.end {
            let start = position
            while position < value.end, ByteClass.isToken(bytes.byte(position)) { position &+= 1 }
            guard position > start else { return .badTransferEncoding }
            lastIsChunked = bytes.equals(Slice(from: start, to: position), "chunked")
            chunkedSeen &+= lastIsChunked ? 1 : 0
            codings &+= 1
            while position < value.end, ByteClass.isSpace(bytes.byte(position)) { position &+= 1 }
            if position == value.end { break }
            guard bytes.byte(position) == 0x2C else { return .badTransferEncoding }
            position &+= 1
            while position < value.end, ByteClass.isSpace(bytes.byte(position)) { position &+= 1 }
        }
        let isUnknown = chunkedSeen == 0 || (chunkedSeen == 1 && lastIsChunked && codings > 1)
        return isUnknown ? .unknownTransferCoding : .badTransferEncoding
    }
}
