// What a peer sent, as its owner gets it: after `receive` has returned, one after the other, in the
// order of the wire. Resets and room on the way out are notices; see `HTTP2Session.nextNotice`.

package struct HTTP2Event {
    package enum Kind: UInt8, Sendable {
        /// A request, or a final answer, as an HTTP/1.1 head for the strict parsers to read.
        case head
        /// A 1xx answer in the same form; a final one follows.
        case interim
        /// A head beyond its limit, which was dropped: 431 from a client, a bad answer from a
        /// replica. What follows of the stream is handed out as always.
        case headTooLarge
        /// A piece of the body.
        case data
        /// Field lines and the empty line after them, for `TrailerFields`. Always the end.
        case trailers
        /// The end, if nothing came with it.
        case end
    }

    package let kind: Kind
    /// Nothing follows from the peer on this stream.
    package let endsStream: Bool
    /// Fields of a head or of trailers, to hold against what the parser finds.
    package let fieldCount: UInt16
    package let stream: HTTP2Stream
    /// Of the bytes given to `receive` if this is data, else of `HTTP2Loop.withHead`'s.
    package let slice: Slice
}

/// What became of a stream by other means than its bytes.
package enum HTTP2Notice {
    /// The peer, or the peer's fault, ended the stream before both sides were done; or the session
    /// is over. Nothing more can be sent on it, and nothing follows. The owner still has to let go.
    case reset(HTTP2Stream, HTTP2ErrorCode)
    /// There is room again where `writable` had found none.
    case writable(HTTP2Stream)
}

/// An event in the queue.
struct HTTP2QueuedEvent {
    var kind: HTTP2Event.Kind
    var endsStream: Bool
    var fieldCount: UInt16
    var slice: Slice
    var stream: RecordPointer<HTTP2StreamRecord>
}
