// How a connection ends with nobody hurt (RFC 9113 6.8): first a notice that it will, so that
// requests already on the way are still taken, then the last word on which were; and how one that
// says nothing is found out.

internal import CNGHTTP2

extension HTTP2Session {
    /// Says that the connection will end, and takes streams on for a while. After a round trip or
    /// a second, `goAway` should follow.
    package func announceShutdown() {
        guard record.it.isServer, record.it.fault == nil else { return }
        _ = unsafe nghttp2_submit_shutdown_notice(record.it.library)
    }

    /// Takes no further stream; those under way go on to their ends. The session is over after the
    /// last of them.
    package func goAway(_ code: HTTP2ErrorCode = .noError) {
        guard !record.it.hasSentGoAway, record.it.fault == nil else { return }
        record.it.hasSentGoAway = true
        _ = unsafe nghttp2_submit_goaway(
            record.it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue),
            nghttp2_session_get_last_proc_stream_id(record.it.library), code.rawValue, nil, 0)
    }

    /// Ends the session as for a peer's fault, streams included: after GOAWAY nothing is sent.
    package func terminate(_ code: HTTP2ErrorCode) {
        record.fail(code)
        record.giveNotice()
    }

    /// Asks for a sign of life: settings without a word in them, which must be acknowledged.
    /// Servers of gRPC take PINGs without calls between them for abuse.
    package func ask() {
        guard record.it.fault == nil else { return }
        // Without memory for it, nobody answers.
        _ = unsafe nghttp2_submit_settings(
            record.it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil, 0)
    }

    /// The stream that has waited longest, by what each may, with bytes that its windows do not
    /// let move, held by its owner or not. One that waits for its turn behind more urgent ones is
    /// not to blame. Looks at every stream: for timers, not for each event.
    package var longestStalled: HTTP2Stream? {
        var found: RecordPointer<HTTP2StreamRecord>?
        var first = Int64.max
        var next = record.it.streams
        while let stream = next {
            next = stream.it.next
            guard let end = record.stallEnd(stream), found == nil || end < first
            else { continue }
            first = end
            found = stream
        }
        return found.map { HTTP2Stream(record: $0) }
    }
}
