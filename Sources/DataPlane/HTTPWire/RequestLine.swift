// `method SP request-target SP HTTP-version CRLF` (RFC 9112 3), one space each, nothing around it.
// One empty line before it is skipped (2.2). Errors are found as soon as their bytes are there.

enum RequestLine {
    /// Fills in method, target and version; returns where the fields begin, nil while incomplete.
    @inline(__always)
    static func read(
        _ bytes: RawSpan, into head: inout RequestHead
    ) throws(WireError) -> Int? {
        guard let start = try skipEmptyLine(bytes),
            let methodEnd = try methodEnd(bytes, from: start)
        else { return nil }
        head.methodText = Slice(from: start, to: methodEnd)
        head.method = try method(bytes, head.methodText)

        let targetStart = methodEnd &+ 1
        guard let targetEnd = try targetEnd(bytes, from: targetStart) else { return nil }
        head.target = Slice(from: targetStart, to: targetEnd)
        guard let end = try readVersion(bytes, from: targetEnd &+ 1, into: &head)
        else { return nil }
        try RequestTarget.read(bytes, into: &head)
        return end
    }

    @inline(__always)
    private static func skipEmptyLine(_ bytes: RawSpan) throws(WireError) -> Int? {
        guard bytes.byteCount > 0 else { return nil }
        if bytes.byte(0) != 0x0D { return 0 }
        guard bytes.byteCount > 1 else { return nil }
        guard bytes.byte(1) == 0x0A else { throw .bareCarriageReturn }
        return 2
    }

    @inline(__always)
    private static func methodEnd(_ bytes: RawSpan, from start: Int) throws(WireError) -> Int? {
        var position = start
        while position < bytes.byteCount {
            let byte = bytes.byte(position)
            if byte == 0x20 {
                guard position > start else { throw .badMethod }
                return position
            }
            guard ByteClass.isToken(byte) else {
                throw byte == 0x0A ? .bareLineFeed : .badMethod
            }
            position &+= 1
            guard position &- start <= Limits.methodBytes else { throw .methodTooLong }
        }
        return nil
    }

    @inline(__always)
    private static func method(_ bytes: RawSpan, _ text: Slice) throws(WireError) -> Method {
        let at = text.start
        switch text.count {
        case 3:
            if is3(bytes, at, 0x47, 0x45, 0x54) { return .get }
            if is3(bytes, at, 0x50, 0x55, 0x54) { return .put }
        case 4:
            if bytes.halfWord(at) == 0x5453_4F50 { return .post }
            if bytes.halfWord(at) == 0x4441_4548 { return .head }
        default:
            return try longMethod(bytes, text)
        }
        return .other
    }

    @inline(__always)
    private static func is3(
        _ bytes: RawSpan, _ at: Int, _ first: UInt8, _ second: UInt8, _ third: UInt8
    ) -> Bool {
        bytes.byte(at) == first && bytes.byte(at &+ 1) == second && bytes.byte(at &+ 2) == third
    }

    @inline(never)
    private static func longMethod(_ bytes: RawSpan, _ text: Slice) throws(WireError) -> Method {
        if bytes.isExactly(text, "DELETE") { return .delete }
        if bytes.isExactly(text, "PATCH") { return .patch }
        if bytes.isExactly(text, "OPTIONS") { return .options }
        if bytes.isExactly(text, "CONNECT") || bytes.isExactly(text, "TRACE") {
            throw .methodNotImplemented
        }
        return .other
    }

    /// Where the space after the target is. Visible ASCII without `#`, which begins a fragment.
    @inline(__always)
    private static func targetEnd(_ bytes: RawSpan, from start: Int) throws(WireError) -> Int? {
        let stop = start &+ Limits.targetBytes
        var position = start
        while position < bytes.byteCount {
            guard position <= stop else { throw .targetTooLong }
            if position &+ 8 <= bytes.byteCount {
                let stops = Word.targetStops(bytes.word(position))
                if stops == 0 {
                    position &+= 8
                    continue
                }
                position &+= stops.trailingZeroBitCount &>> 3
            }
            let byte = bytes.byte(position)
            if byte == 0x20 {
                guard position > start else { throw .badTarget }
                guard position <= stop else { throw .targetTooLong }
                return position
            }
            guard byte > 0x20, byte < 0x7F, byte != 0x23 else {
                throw byte == 0x0A ? .bareLineFeed : .badTarget
            }
            position &+= 1
        }
        return nil
    }

    @inline(__always)
    private static func readVersion(
        _ bytes: RawSpan, from start: Int, into head: inout RequestHead
    ) throws(WireError) -> Int? {
        guard start &+ 10 <= bytes.byteCount else {
            try checkPartialVersion(bytes, from: start)
            return nil
        }
        switch bytes.word(start) {
        case HTTPVersion.oneDotOne: head.minorVersion = 1
        case HTTPVersion.oneDotZero: head.minorVersion = 0
        default: throw HTTPVersion.error(bytes, from: start, malformed: .badVersion)
        }
        guard bytes.byte(start &+ 8) == 0x0D else {
            throw bytes.byte(start &+ 8) == 0x0A ? .bareLineFeed : .badVersion
        }
        guard bytes.byte(start &+ 9) == 0x0A else { throw .bareCarriageReturn }
        return start &+ 10
    }

    @inline(never)
    private static func checkPartialVersion(
        _ bytes: RawSpan, from start: Int
    ) throws(WireError) {
        guard HTTPVersion.isPrefix(bytes, from: start) else { throw .badVersion }
        guard start &+ 8 <= bytes.byteCount else { return }
        let version = bytes.word(start)
        guard version == HTTPVersion.oneDotOne || version == HTTPVersion.oneDotZero
        else { throw .unsupportedVersion }
        guard start &+ 8 < bytes.byteCount else { return }
        let byte = bytes.byte(start &+ 8)
        guard byte == 0x0D else { throw byte == 0x0A ? .bareLineFeed : .badVersion }
    }
}
