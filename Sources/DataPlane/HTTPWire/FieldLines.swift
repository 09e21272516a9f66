// Field lines (RFC 9112 5), shared by requests, responses and trailers. Strict: CRLF ends a line,
// nothing folds, a colon follows its name at once, and values hold no controls but HTAB.

enum FieldLines {
    /// Reads lines up to and with the empty one; returns where it ended, nil while incomplete.
    static func read(
        _ bytes: RawSpan, from start: Int, into fields: inout FieldTable, limit: Int
    ) throws(WireError) -> Int? {
        var position = start
        while position < bytes.byteCount {
            if bytes.byte(position) == 0x0D {
                guard position &+ 1 < bytes.byteCount else { return nil }
                guard bytes.byte(position &+ 1) == 0x0A else { throw .bareCarriageReturn }
                return position &+ 2
            }
            guard let next = try readLine(bytes, from: position, into: &fields, limit: limit)
            else { return nil }
            position = next
        }
        return nil
    }

    @inline(__always)
    private static func readLine(
        _ bytes: RawSpan, from start: Int, into fields: inout FieldTable, limit: Int
    ) throws(WireError) -> Int? {
        var hasUnderscore = false
        guard let colon = try nameEnd(bytes, from: start, hasUnderscore: &hasUnderscore)
        else { return nil }
        var first = colon &+ 1
        while first < bytes.byteCount, ByteClass.isSpace(bytes.byte(first)) { first &+= 1 }
        guard let lineEnd = try valueEnd(bytes, from: first) else { return nil }
        var last = lineEnd
        while last > first, ByteClass.isSpace(bytes.byte(last &- 1)) { last &-= 1 }

        guard fields.count < limit else { throw .tooManyFields }
        let name = Slice(from: start, to: colon)
        let known = FieldName.classify(bytes, name)
        let field = Field(
            name: name, value: Slice(from: first, to: last),
            line: Slice(from: start, to: lineEnd &+ 2), known: known,
            isHopByHop: known.isHopByHop,
            isAlias: hasUnderscore && FieldName.isAlias(bytes, name))
        guard fields.append(field) else { throw .tooManyFields }
        return lineEnd &+ 2
    }

    /// Where the colon is. Names are mostly letters and hyphens: those go eight at a time.
    @inline(__always)
    private static func nameEnd(
        _ bytes: RawSpan, from start: Int, hasUnderscore: inout Bool
    ) throws(WireError) -> Int? {
        var position = start
        while position < bytes.byteCount {
            if position &+ 8 <= bytes.byteCount {
                let others = Word.notLettersOrHyphens(bytes.word(position))
                if others == 0 {
                    position &+= 8
                    continue
                }
                position &+= others.trailingZeroBitCount &>> 3
            }
            let byte = bytes.byte(position)
            if byte == 0x3A {
                if position == start { throw .emptyFieldName }
                return position
            }
            guard ByteClass.isToken(byte) else {
                throw nameError(byte, isFirst: position == start)
            }
            if byte == 0x5F { hasUnderscore = true }
            position &+= 1
        }
        return nil
    }

    private static func nameError(_ byte: UInt8, isFirst: Bool) -> WireError {
        switch byte {
        case 0x20, 0x09: isFirst ? .obsoleteFold : .spaceBeforeColon
        case 0x0A: .bareLineFeed
        default: .badFieldName
        }
    }

    /// Where the CR of the line's CRLF is.
    @inline(__always)
    private static func valueEnd(_ bytes: RawSpan, from start: Int) throws(WireError) -> Int? {
        var position = start
        while position < bytes.byteCount {
            if position &+ 8 <= bytes.byteCount {
                let controls = Word.controls(bytes.word(position))
                if controls == 0 {
                    position &+= 8
                    continue
                }
                position &+= controls.trailingZeroBitCount &>> 3
            }
            let byte = bytes.byte(position)
            if byte == 0x0D {
                guard position &+ 1 < bytes.byteCount else { return nil }
                guard bytes.byte(position &+ 1) == 0x0A else { throw .bareCarriageReturn }
                return position
            }
            guard ByteClass.isText(byte) else {
                throw byte == 0x0A ? .bareLineFeed : .badFieldValue
            }
            position &+= 1
        }
        return nil
    }
}
