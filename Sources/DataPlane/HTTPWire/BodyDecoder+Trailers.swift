// The trailer section after the last chunk (RFC 9112 7.1.2). Most often it is one empty line.
// Fields wait, bounded, until all of them are there.

extension BodyDecoder {
    mutating func nextTrailer(
        _ bytes: RawSpan, from offset: inout Int, fields: inout FieldTable
    ) throws(WireError) -> BodyEvent {
        if stage == .trailerStart {
            guard offset < bytes.byteCount else { return .needMore }
            let isEmpty = bytes.byte(offset) == 0x0D
            stage = isEmpty ? .trailerFeed : .trailers
            if isEmpty { offset &+= 1 }
        }
        if stage == .trailers { return try nextTrailers(bytes, from: &offset, fields: &fields) }
        guard offset < bytes.byteCount else { return .needMore }
        guard bytes.byte(offset) == 0x0A else { throw .bareCarriageReturn }
        offset &+= 1
        stage = .done
        return .end(hasTrailers: false)
    }

    private mutating func nextTrailers(
        _ bytes: RawSpan, from offset: inout Int, fields: inout FieldTable
    ) throws(WireError) -> BodyEvent {
        guard let sectionEnd = findSectionEnd(bytes, from: offset) else {
            searched = UInt32(min(bytes.byteCount &- offset, Limits.trailerBytes &+ 1))
            guard searched <= Limits.trailerBytes else { throw .trailersTooLarge }
            return .needMore
        }
        guard sectionEnd &- offset <= Limits.trailerBytes else { throw .trailersTooLarge }
        let section = bytes.extracting(first: sectionEnd)
        let end = try TrailerFields.read(section, from: offset, into: &fields)
        guard let end else { throw .bareLineFeed }
        offset = end
        stage = .done
        return .end(hasTrailers: true)
    }

    /// Past the empty line, or past a LF that has no CR: reading the lines will find it.
    private func findSectionEnd(_ bytes: RawSpan, from start: Int) -> Int? {
        var position = start &+ Int(searched)
        while let feed = bytes.firstIndex(of: 0x0A, from: position) {
            if feed == start || bytes.byte(feed &- 1) != 0x0D { return feed &+ 1 }
            if feed >= start &+ 2, bytes.byte(feed &- 2) == 0x0A { return feed &+ 1 }
            position = feed &+ 1
        }
        return nil
    }
}
