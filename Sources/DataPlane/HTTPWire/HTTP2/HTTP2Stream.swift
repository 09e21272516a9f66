// One request and its answer on an HTTP/2 connection, as its owner holds it: from the event that
// brought it, or from `request`, until the owner lets go of it, once, with `release` or `reset`.
// What is asked of a stream that has ended meanwhile has no effect.

internal import CNGHTTP2

package struct HTTP2Stream: Equatable {
    let record: RecordPointer<HTTP2StreamRecord>

    package var id: Int32 { record.it.id }

    /// What the owner wants to find again with each event.
    package var owner: UInt {
        get { record.it.owner }
        nonmutating set { record.it.owner = newValue }
    }

    package var session: HTTP2Session { HTTP2Session(record: record.it.session) }

    /// The request asks, by extended CONNECT (RFC 8441), for what HTTP/1.1 calls an upgrade. Its
    /// head reads `GET`, with `upgrade` and without `sec-websocket-key`.
    package var isExtendedConnect: Bool { record.it.isExtendedConnect }

    /// Both directions are open, or one still is.
    package var isOpen: Bool { record.it.isOpen && !record.it.wasReset }

    /// It was reset because of what the peer sent on it.
    package var brokeRules: Bool {
        record.it.wasReset && !record.it.wasResetByPeer && record.it.resetCode.blamesPeer
    }

    // MARK: Heads

    /// Answers with a head in HTTP/1.1 form. A 1xx may be followed by others, while the stream is
    /// `writable`.
    ///
    /// - Parameter ends: there is no body; else `send` or `sendTrailers` follow.
    package func respond(_ head: RawSpan, ends: Bool) throws(HTTP2HeadFault) {
        let session = record.it.session
        guard record.it.isOpen, !record.it.sentHead, session.it.isServer else {
            throw .streamOver
        }
        try session.it.loop.it.fieldList.readAnswer(
            head, isExtendedConnect: record.it.isExtendedConnect, copy: &record.it.head)
        guard session.submitAnswer(record, head.byteCount, ends: ends) else { throw .streamOver }
    }

    /// Ends the message with trailers: field lines and an empty line. They follow what is pending.
    package func sendTrailers(_ lines: RawSpan) throws(HTTP2HeadFault) {
        let session = record.it.session
        guard record.it.isOpen, record.it.sentHead, !record.it.sendsNoMore else {
            throw .streamOver
        }
        try session.it.loop.it.fieldList.readTrailers(lines)
        guard session.sendTrailers(lines, on: record) else { throw .streamOver }
    }

    // MARK: Bodies

    /// Sends a piece of the body. As much as windows and `room` allow is written to `room` at once,
    /// with all else that the session has to send; the rest is kept, and leaves by `produce`. With
    /// an empty `room`, for a connection that is congested, all of it is kept.
    ///
    /// - Returns: how many bytes were written to `room`.
    package func send(
        _ bytes: RawSpan, ends: Bool, into room: UnsafeMutableRawBufferPointer, now: Int64
    ) -> Int {
        let session = record.it.session
        session.it.now = now
        guard record.it.isOpen, record.it.sentHead, !record.it.sendsNoMore else { return 0 }
        guard session.account(bytes.byteCount, ends: ends, on: record) else { return 0 }
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe session.send(buffer, ends: ends, on: record, into: room)
        }
    }

    /// How many bytes may be sent now: what windows allow beyond what is pending, and none while
    /// too much is. Before the head, whether another interim one may be. When it is 0, a notice
    /// tells when it no longer is. Read no more than this from where the body comes from.
    package var writable: Int {
        let session = record.it.session
        let room = session.room(on: record)
        if room == 0, record.it.isOpen, !record.it.sendsNoMore, !record.it.wantsRoom {
            record.it.wantsRoom = true
            session.it.roomSeekers &+= 1
        }
        return room
    }

    /// Bytes sent by the owner that wait for windows or room.
    package var pending: Int { record.it.pending.count }

    /// Since when the peer's windows have let nothing out, whether bytes wait or are not taken up
    /// for that; nil when they would.
    ///
    /// - Parameter time: when the owner stopped.
    package func shutSince(_ time: Int64) -> Int64? {
        record.it.session.shutSince(max(time, record.it.stalledSince), record)
    }

    /// Since when bytes have waited for windows without 1 KiB of them moving; nil when none do.
    package var stalledSince: Int64? { record.it.session.stalledSince(record) }

    /// How long that may be, in nanoseconds; `max`, as it is at first, is for ever.
    package var stallLimit: Int64 {
        get { record.it.stallLimit }
        nonmutating set { record.it.stallLimit = newValue }
    }

    /// When it will have been as long; nil while nothing waits.
    package var stallEnd: Int64? { record.it.session.stallEnd(record) }

    /// The owner has passed on or dropped bytes of the events' data: the peer may send as many
    /// more. Until then it cannot, and that is the back-pressure.
    package func consume(_ count: Int) { record.it.session.consume(count, of: record) }

    // MARK: Ends

    /// Ends the stream at once, both ways, and lets go of it.
    package func reset(_ code: HTTP2ErrorCode) {
        let session = record.it.session
        record.it.isHeld = false
        session.forgetRoom(of: record)
        if record.it.isOpen { session.reset(record, code) }
        session.giveUpIfUnused(record)
    }

    /// Lets go of the stream. What was sent to its end still goes out; a peer that has more to send
    /// is told not to (RFC 9113 8.1). A stream whose sending is incomplete is reset (CANCEL).
    package func release() {
        let session = record.it.session
        guard record.it.isOpen, !record.it.wasReset else { return reset(.cancel) }
        guard record.it.sendsNoMore else { return reset(.cancel) }
        record.it.isHeld = false
        session.forgetRoom(of: record)
        session.consume(Int(record.it.unconsumed), of: record)
        guard !record.it.hasReceivedEnd else { return }
        // A client that let go of an unfinished answer wants nothing more of it.
        if !session.it.isServer { return session.reset(record, .cancel) }
        record.it.resetsAfterEnd = true
        if record.it.hasSentEnd { session.reset(record, .noError) }
    }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    fileprivate func submitAnswer(
        _ stream: RecordPointer<HTTP2StreamRecord>, _ bytes: Int, ends: Bool
    ) -> Bool {
        let list = it.loop.it.fieldList.count
        let status = it.loop.it.fieldList.status
        if status < 200 {
            let outcome = unsafe nghttp2_submit_headers(
                it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.it.id, nil,
                it.loop.it.fieldList.storage, list, nil)
            if outcome == 0 { stream.it.addInterim(bytes) }
            return outcome == 0
        }
        // The library gets the status alone: the block is written when the frame leaves.
        let outcome = unsafe penstock_h2_submit_response(
            it.library, stream.it.id, it.loop.it.fieldList.storage, 1, stream.raw,
            HTTP2Callbacks.read, ends ? 0 : 1)
        guard outcome == 0 else { return false }
        stream.it.head.keep(it.loop.it.fieldList)
        stream.it.sentHead = true
        stream.it.sendsNoMore = ends
        stream.it.lengthToSend = it.loop.it.fieldList.contentLength
        if !it.loop.it.fieldList.priority.isEmpty {
            stream.it.said = it.loop.it.fieldList.priority
            applyPriority(of: stream)
        }
        return true
    }

    /// The list holds the fields of `lines`.
    fileprivate func sendTrailers(
        _ lines: RawSpan, on stream: RecordPointer<HTTP2StreamRecord>
    ) -> Bool {
        guard account(0, ends: true, on: stream) else { return false }
        stream.it.sendsNoMore = true
        forgetRoom(of: stream)
        // The library sends heads before data, so trailers wait for what is pending.
        if stream.it.pending.isEmpty {
            submitTrailers(of: stream)
        } else {
            stream.it.sendsTrailers = true
            unsafe lines.withUnsafeBytes { unsafe stream.it.trailers.append($0) }
        }
        return true
    }

    /// Holds a body against the length that its head promised. A body that breaks the promise
    /// resets its stream: it must not look complete.
    fileprivate func account(
        _ count: Int, ends: Bool, on stream: RecordPointer<HTTP2StreamRecord>
    ) -> Bool {
        guard stream.it.lengthToSend >= 0 else { return true }
        stream.it.lengthToSend &-= Int64(count)
        if stream.it.lengthToSend > 0 && !ends || stream.it.lengthToSend == 0 { return true }
        stream.it.sendsNoMore = true
        reset(stream, .internalError)
        return false
    }

    fileprivate func send(
        _ bytes: UnsafeRawBufferPointer, ends: Bool,
        on stream: RecordPointer<HTTP2StreamRecord>, into room: UnsafeMutableRawBufferPointer
    ) -> Int {
        if ends {
            stream.it.sendsNoMore = true
            forgetRoom(of: stream)
        }
        let mustWait = unsafe room.isEmpty
        if mustWait {
            unsafe keep(bytes, of: stream)
        } else {
            unsafe stream.it.lent = bytes.baseAddress
            stream.it.lentCount = bytes.count
        }
        if stream.it.isDeferred, bytes.count > 0 || ends {
            stream.it.isDeferred = false
            _ = unsafe nghttp2_session_resume_data(it.library, stream.it.id)
        }
        let written = unsafe room.isEmpty ? 0 : unsafe produce(into: room)
        if !mustWait {
            let rest = unsafe UnsafeRawBufferPointer(
                start: stream.it.lent, count: stream.it.lentCount)
            unsafe stream.it.lent = nil
            stream.it.lentCount = 0
            if stream.it.isOpen { unsafe keep(rest, of: stream) }
        }
        return written
    }

    private func keep(
        _ bytes: UnsafeRawBufferPointer, of stream: RecordPointer<HTTP2StreamRecord>
    ) {
        guard bytes.count > 0 else { return }
        unsafe stream.it.pending.append(bytes)
        it.pendingBytes &+= bytes.count
        stream.it.noteProgress(0, now: it.now)
    }
}

extension HTTP2Stream {
    /// Its owner has not let go of it.
    package var isHeld: Bool { record.it.isHeld }
}
