// Finds the end of a body, and checks its framing on the way. One lives in each connection record,
// so it is trivial and small; it keeps no bytes. Chunked bodies can be had as payload, or as chunks
// that were checked and may be forwarded as they are.

package enum BodyEvent: Equatable, Sendable {
    /// Everything usable was given out. Bytes from the offset on, if any, are the start of a trailer
    /// section: show them again with what follows.
    case needMore
    /// Payload.
    case data(Slice)
    /// Checked chunked bytes to forward as they are: any number of chunks, the first and the last
    /// perhaps in part. Never the last chunk (size zero).
    case framed(Slice, payload: Int)
    /// A chunk begins whose header cannot be forwarded as it came (it had extensions, leading zeros,
    /// or arrived in pieces): write one. Its data and their CRLF follow as `framed`.
    case chunkHeader(UInt64)
    /// The body is complete. When chunked, the last chunk, the trailers in the table (those not
    /// flagged hop-by-hop or alias) and the final CRLF are for the receiver to write.
    case end(hasTrailers: Bool)
}

package struct BodyDecoder: Sendable {
    package private(set) var remaining: UInt64

    package init(framing: BodyFraming, keepsFraming: Bool) {
        remaining = 0
    }

    package mutating func next(
        _ bytes: RawSpan, from offset: inout Int, fields: inout FieldTable
    ) throws(WireError) -> BodyEvent {
        .needMore
    }

    /// The peer closed: fine for a body that ends so, or has ended; a truncation otherwise.
    package mutating func ended() throws(WireError) {}
}
