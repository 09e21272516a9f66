// Finds the end of a body, and checks its framing on the way. One lives in each connection record,
// so it is trivial and small; it keeps no bytes. Chunked bodies can be had as payload, or as chunks
// that were checked and may be forwarded as they are.

package enum BodyEvent: Equatable, Sendable {
    /// Everything usable was given out. Bytes from the offset on, if any, are the start of a
    /// trailer section: show them again with what follows.
    case needMore
    /// Payload.
    case data(Slice)
    /// Checked chunked bytes to forward as they are: any number of chunks, the first and the last
    /// perhaps in part. Never the last chunk (size zero).
    case framed(Slice, payload: Int)
    /// A chunk begins whose header cannot be forwarded as it came (it had extensions, leading
    /// zeros, or arrived in pieces): write one. Its data and their CRLF follow as `framed`.
    case chunkHeader(UInt64)
    /// The body is complete. When chunked, the last chunk, the trailers in the table (those not
    /// flagged hop-by-hop or alias) and the final CRLF are for the receiver to write.
    case end(hasTrailers: Bool)
}

package struct BodyDecoder: Sendable {
    enum Stage: UInt8 {
        case length, untilClose, done
        case chunkLine, chunkData, dataReturn, dataFeed
        case trailerStart, trailerFeed, trailers
    }

    /// Bytes still to come of the body, or of the present chunk.
    package internal(set) var remaining: UInt64 = 0
    var header = ChunkHeader()
    /// What chunk lines cost beyond what their payload pays for.
    var overhead: UInt32 = 0
    /// How much of a waiting trailer section was searched.
    var searched: UInt32 = 0
    var stage = Stage.done
    let keepsFraming: Bool

    package init(framing: BodyFraming, keepsFraming: Bool) {
        self.keepsFraming = keepsFraming
        switch framing {
        case .none: break
        case .length(let count):
            remaining = count
            stage = .length
        case .chunked: stage = .chunkLine
        case .untilClose: stage = .untilClose
        }
    }

    package var isDone: Bool { stage == .done || (stage == .length && remaining == 0) }

    /// Takes bytes from `offset` on and moves it past them. Call until it needs more or has ended;
    /// after an error the connection is of no use. `fields` is only written for trailers.
    package mutating func next(
        _ bytes: RawSpan, from offset: inout Int, fields: inout FieldTable
    ) throws(WireError) -> BodyEvent {
        switch stage {
        case .length: nextOfLength(bytes, from: &offset)
        case .untilClose: nextUntilClose(bytes, from: &offset)
        case .done: .end(hasTrailers: false)
        case .trailerStart, .trailerFeed, .trailers:
            try nextTrailer(bytes, from: &offset, fields: &fields)
        default: try nextChunked(bytes, from: &offset, fields: &fields)
        }
    }

    /// The peer closed: fine for a body that ends so, or has ended; a truncation otherwise.
    package mutating func ended() throws(WireError) {
        guard stage == .untilClose || isDone else { throw .truncatedBody }
        stage = .done
    }

    private mutating func nextOfLength(_ bytes: RawSpan, from offset: inout Int) -> BodyEvent {
        if remaining == 0 {
            stage = .done
            return .end(hasTrailers: false)
        }
        return takePayload(bytes, from: &offset)
    }

    private func nextUntilClose(_ bytes: RawSpan, from offset: inout Int) -> BodyEvent {
        guard offset < bytes.byteCount else { return .needMore }
        defer { offset = bytes.byteCount }
        return .data(Slice(from: offset, to: bytes.byteCount))
    }

    /// As much of `remaining` as there is.
    mutating func takePayload(_ bytes: RawSpan, from offset: inout Int) -> BodyEvent {
        let available = bytes.byteCount - offset
        let count = remaining < UInt64(available) ? Int(remaining) : available
        guard count > 0 else { return .needMore }
        let slice = Slice(from: offset, to: offset &+ count)
        offset &+= count
        remaining &-= UInt64(count)
        return .data(slice)
    }
}
