// Comparing parsed text with words we know. Only for bytes already checked to hold no controls:
// then `| 0x20` folds case exactly, since letters, digits and `-/:` have no other preimage.

extension RawSpan {
    /// Whether the bytes at `offset` are `literal` in any case. The literal is lower case and has
    /// two bytes or more; its length is the caller's to compare first, its bytes must be within
    /// bounds.
    @inline(__always) package func spells(_ literal: StaticString, at offset: Int) -> Bool {
        let count = literal.utf8CodeUnitCount
        let text = unsafe UnsafeRawPointer(literal.utf8Start)
        guard count >= 8 else { return spellsShort(literal, at: offset) }
        var index = 0
        while index &+ 8 <= count {
            let expected = unsafe text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word(offset &+ index) | Word.fold != UInt64(littleEndian: expected) {
                return false
            }
            index &+= 8
        }
        if index == count { return true }
        let expected = unsafe text.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return word(offset &+ count &- 8) | Word.fold == UInt64(littleEndian: expected)
    }

    @inline(__always) private func spellsShort(_ literal: StaticString, at offset: Int) -> Bool {
        let count = literal.utf8CodeUnitCount
        let text = unsafe UnsafeRawPointer(literal.utf8Start)
        guard count >= 4 else {
            for index in 0..<count {
                let expected = unsafe text.load(fromByteOffset: index, as: UInt8.self)
                if byte(offset &+ index) | 0x20 != expected { return false }
            }
            return true
        }
        let fold = UInt32(truncatingIfNeeded: Word.fold)
        let first = unsafe text.loadUnaligned(as: UInt32.self)
        let last = unsafe text.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        return halfWord(offset) | fold == UInt32(littleEndian: first)
            && halfWord(offset &+ count &- 4) | fold == UInt32(littleEndian: last)
    }

    /// Whether the slice is `literal` in any case.
    @inline(__always) package func equals(_ slice: Slice, _ literal: StaticString) -> Bool {
        Int(slice.count) == literal.utf8CodeUnitCount && spells(literal, at: slice.start)
    }

    /// Whether the slice begins with `literal` in any case.
    @inline(__always) package func begins(_ slice: Slice, _ literal: StaticString) -> Bool {
        Int(slice.count) >= literal.utf8CodeUnitCount && spells(literal, at: slice.start)
    }

    /// Whether the slice is `literal` to the letter.
    package func isExactly(_ slice: Slice, _ literal: StaticString) -> Bool {
        guard Int(slice.count) == literal.utf8CodeUnitCount else { return false }
        for index in 0..<Int(slice.count) {
            let expected = unsafe literal.utf8Start[index]
            if byte(slice.start &+ index) != expected { return false }
        }
        return true
    }

    /// Whether two slices of these bytes are the same token in any case.
    package func sameToken(_ left: Slice, _ right: Slice) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<Int(left.count) {
            let first = ByteClass.lowercased(byte(left.start &+ index))
            if first != ByteClass.lowercased(byte(right.start &+ index)) { return false }
        }
        return true
    }

    /// Whether a Content-Type value names this media type, with or without parameters.
    package func isMediaType(_ value: Slice, _ literal: StaticString) -> Bool {
        guard begins(value, literal) else { return false }
        let end = value.start &+ literal.utf8CodeUnitCount
        return end == value.end || byte(end) == 0x3B || ByteClass.isSpace(byte(end))
    }
}
