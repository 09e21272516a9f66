// Chunks (RFC 9112 7.1). A header that lies whole in the bytes, without extension or leading zero,
// is read at once and, if framing is kept, joins the run of bytes to forward; every other one goes
// byte by byte. An error is thrown only when all that came before it was given out, so that the
// events do not depend on how the bytes arrived.

extension BodyDecoder {
    mutating func nextChunked(
        _ bytes: RawSpan, from offset: inout Int, fields: inout FieldTable
    ) throws(WireError) -> BodyEvent {
        let start = offset
        var payload = 0
        while true {
            switch stage {
            case .chunkLine:
                if takeWholeHeader(bytes, at: &offset) { continue }
                if keepsFraming, offset > start { return run(from: start, to: offset, payload) }
                guard try takeHeader(bytes, from: &offset) else { return .needMore }
                if stage == .trailerStart {
                    return try nextTrailer(bytes, from: &offset, fields: &fields)
                }
                if keepsFraming { return .chunkHeader(remaining) }
            case .chunkData:
                if remaining == 0 {
                    stage = .dataReturn
                    continue
                }
                let event = takePayload(bytes, from: &offset)
                guard keepsFraming else { return event }
                guard case .data(let slice) = event else {
                    return run(from: start, to: offset, payload)
                }
                payload &+= Int(slice.count)
            default:
                guard offset < bytes.byteCount else {
                    return keepsFraming ? run(from: start, to: offset, payload) : .needMore
                }
                let expected: UInt8 = stage == .dataReturn ? 0x0D : 0x0A
                guard bytes.byte(offset) == expected else {
                    if keepsFraming, offset > start {
                        return run(from: start, to: offset, payload)
                    }
                    throw .badChunkEnd
                }
                offset &+= 1
                advancePastDataEnd()
            }
        }
    }

    private func run(from start: Int, to end: Int, _ payload: Int) -> BodyEvent {
        end > start ? .framed(Slice(from: start, to: end), payload: payload) : .needMore
    }

    private mutating func advancePastDataEnd() {
        if stage == .dataReturn {
            stage = .dataFeed
        } else {
            stage = .chunkLine
            header = ChunkHeader()
        }
    }

    /// The common case: up to fifteen digits, the first not zero, and CRLF, all there.
    private mutating func takeWholeHeader(_ bytes: RawSpan, at offset: inout Int) -> Bool {
        guard header.byteCount == 0 else { return false }
        var position = offset
        var size: UInt64 = 0
        let limit = min(bytes.byteCount, offset &+ 15)
        while position < limit {
            let value = ByteClass.hexValue(bytes.byte(position))
            if value >= 16 { break }
            size = size &<< 4 | UInt64(value)
            position &+= 1
        }
        guard position > offset, position &+ 2 <= bytes.byteCount, bytes.byte(offset) != 0x30,
            bytes.byte(position) == 0x0D, bytes.byte(position &+ 1) == 0x0A
        else { return false }
        credit(lineBytes: UInt32(position &+ 2 &- offset), size: size)
        remaining = size
        stage = .chunkData
        offset = position &+ 2
        return true
    }

    /// False when the bytes ran out first.
    private mutating func takeHeader(
        _ bytes: RawSpan, from offset: inout Int
    ) throws(WireError) -> Bool {
        while offset < bytes.byteCount {
            let isComplete = try header.take(bytes.byte(offset))
            offset &+= 1
            guard isComplete else { continue }
            credit(lineBytes: header.byteCount, size: header.size)
            guard overhead <= Limits.chunkOverheadBytes else { throw .chunkOverheadTooLarge }
            remaining = header.size
            stage = remaining == 0 ? .trailerStart : .chunkData
            return true
        }
        return false
    }

    /// A chunk pays for 16 bytes of its line and for twice its payload.
    private mutating func credit(lineBytes: UInt32, size: UInt64) {
        let cost = overhead &+ lineBytes
        let paid = 16 &+ 2 &* UInt32(min(size, 0x1000_0000))
        overhead = cost > paid ? cost &- paid : 0
    }
}
