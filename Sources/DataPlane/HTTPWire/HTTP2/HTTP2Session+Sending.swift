// Bytes out. Everything the session has to say leaves through `produce`, in the order that the
// library gives it: control frames and heads first, then data by urgency (RFC 9218). Data are
// copied once, from where the owner has them into the room it offers.

internal import CNGHTTP2

extension HTTP2Session {
    /// Writes what there is to send into `room`, as far as it goes and the windows let it. While
    /// the session still `wantsToSend`, offer another room. Look at `nextNotice` afterwards.
    ///
    /// - Parameter room: 10 bytes at least, or no data go; some 16 KiB and more serve best.
    /// - Returns: how many bytes were written.
    package func produce(into room: UnsafeMutableRawBufferPointer, now: Int64) -> Int {
        record.it.now = now
        return unsafe record.produce(into: room)
    }

    /// Opens a stream for a request whose head is `head`, in HTTP/1.1 form. Only clients may.
    ///
    /// - Parameters:
    ///   - owner: what its events bring back.
    ///   - ends: no body follows.
    package func request(
        _ head: RawSpan, owner: UInt, ends: Bool
    ) throws(HTTP2HeadFault) -> HTTP2Stream {
        precondition(!record.it.isServer, "only clients request")
        guard canRequest else { throw .streamOver }
        let maySwitch =
            unsafe nghttp2_session_get_remote_settings(
                record.it.library, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
        let stream = record.addStream(0)
        do {
            try record.it.loop.it.fieldList.readRequest(
                head, isSecure: record.it.options.isSecure, maySwitch: maySwitch,
                copy: &stream.it.head)
            try record.submitRequest(stream, owner: owner, ends: ends)
            return HTTP2Stream(record: stream)
        } catch {
            record.dropStream(stream)
            throw error
        }
    }

    /// Another request may begin now: the peer takes more streams, and neither side is going away.
    package var canRequest: Bool {
        guard record.it.fault == nil, record.it.peerGoAway == nil, !record.it.hasSentGoAway
        else { return false }
        return unsafe nghttp2_session_check_request_allowed(record.it.library) != 0
            && record.it.openCount < streamsAllowed
    }

    /// How many streams the peer allows; until it has said, what servers usually allow.
    package var streamsAllowed: Int {
        let said = unsafe nghttp2_session_get_remote_settings(
            record.it.library, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return min(Int(said), Limits.streamsMax)
    }

    /// The peer has said what it allows.
    package var hasPeerSettings: Bool { record.it.hasPeerSettings }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    func produce(into room: UnsafeMutableRawBufferPointer) -> Int {
        unsafe it.loop.it.room = room.baseAddress
        it.loop.it.roomCount = room.count
        it.loop.it.roomUsed = 0
        while writeLeftover() {
            var frame: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(it.library, &frame)
            guard count > 0 else {
                if count < 0 { sendFailed() }
                break
            }
            unsafe it.leftover = frame
            it.leftoverCount = count
            if let frame = unsafe frame { unsafe writeBlock(of: frame, count) }
        }
        unsafe it.loop.it.room = nil
        if it.fault != nil { giveNotice() }
        return it.loop.it.roomUsed
    }

    /// False when it did not fit whole. What is left of a frame of the library's stays with it
    /// until the next is asked for; one of ours moves where other sessions cannot reach it.
    private func writeLeftover() -> Bool {
        let isWhole = writeFrames()
        if it.leftoverCount == 0 {
            it.keptFrames.free()
        } else if it.leftoverIsBlock {
            keepBlock()
        }
        return isWhole
    }

    private func writeFrames() -> Bool {
        let count = min(it.leftoverCount, it.loop.it.roomCount &- it.loop.it.roomUsed)
        if count > 0, let frame = unsafe it.leftover, let room = unsafe it.loop.it.room {
            unsafe (room + it.loop.it.roomUsed).copyMemory(from: frame, byteCount: count)
            unsafe it.leftover = frame + count
            it.leftoverCount &-= count
            it.loop.it.roomUsed &+= count
        }
        return it.leftoverCount == 0 && it.loop.it.roomUsed < it.loop.it.roomCount
    }

    /// There was no memory, or the library's state is broken: nothing more can be said.
    private func sendFailed() {
        fail(.internalError)
        it.isDeaf = true
    }

    /// How much of a piece of data fits the room, as one frame; nil when it is better to wait for
    /// the next room. A frame is begun only where it ends, since its stream may go meanwhile.
    func fit(_ count: Int) -> Int? {
        let free = it.loop.it.roomCount &- it.loop.it.roomUsed &- 9
        if count <= free { return count }
        let isWorthwhile = it.loop.it.roomUsed == 0 ? free > 0 : free >= Limits.progressBytes
        return isWorthwhile ? free : nil
    }

    /// Writes a frame of data that fits: its header, then as much of the stream.
    func write(
        _ header: UnsafePointer<UInt8>, _ stream: RecordPointer<HTTP2StreamRecord>, _ count: Int
    ) {
        guard let room = unsafe it.loop.it.room else { return }
        precondition(
            it.loop.it.roomUsed &+ count &+ 9 <= it.loop.it.roomCount, "a frame that fits")
        let place = unsafe room + it.loop.it.roomUsed
        unsafe place.copyMemory(from: header, byteCount: 9)
        let before = stream.it.pending.count
        unsafe stream.it.move(count, to: place + 9)
        it.pendingBytes &-= before &- stream.it.pending.count
        it.loop.it.roomUsed &+= count &+ 9
        stream.it.noteProgress(count, now: it.now)
        noteProgress(count)
        it.roomChanged = true
        if stream.it.sentWhole { it.meter.message() }
    }

    /// As much as each of the streams would have to move.
    private func noteProgress(_ count: Int) {
        it.movedSinceMark &+= count
        if it.movedSinceMark < Limits.progressBytes &* max(1, it.openCount) { return }
        it.movedAt = it.now
        it.movedSinceMark = 0
    }

    // MARK: What callbacks note

    func endSent(_ stream: RecordPointer<HTTP2StreamRecord>) {
        stream.it.hasSentEnd = true
        if stream.it.resetsAfterEnd, !stream.it.hasReceivedEnd { reset(stream, .noError) }
    }

    /// The body is out, or about to be: trailers that waited for it come next.
    func sendTrailers(of stream: RecordPointer<HTTP2StreamRecord>) {
        unsafe stream.it.trailers.withBytes { lines in
            // Read once already, when the owner gave them.
            guard (try? it.loop.it.fieldList.readTrailers(unsafe lines.bytes)) != nil
            else { return }
            submitTrailers(of: stream)
        }
        stream.it.trailers.free()
    }

    func submitTrailers(of stream: RecordPointer<HTTP2StreamRecord>) {
        let list = it.loop.it.fieldList.count
        let outcome = unsafe nghttp2_submit_trailer(
            it.library, stream.it.id, it.loop.it.fieldList.storage, list)
        if outcome != 0 { reset(stream, .internalError) }
    }

    func resetSent(_ code: HTTP2ErrorCode) {
        guard code.blamesPeer else { return }
        if it.countedResets > 0 {
            it.countedResets &-= 1
        } else {
            takeOwnReset()
        }
    }

    func goAwaySent(_ code: HTTP2ErrorCode) {
        if code != .noError, it.fault == nil { it.fault = code }
    }

    // MARK: Submitting

    fileprivate func submitRequest(
        _ stream: RecordPointer<HTTP2StreamRecord>, owner: UInt, ends: Bool
    ) throws(HTTP2HeadFault) {
        // The library gets the method alone, which says what answers may have: the block is written
        // when the frame leaves.
        let id = unsafe penstock_h2_submit_request(
            it.library, it.loop.it.fieldList.storage, 1, stream.raw, HTTP2Callbacks.read,
            ends ? 0 : 1)
        guard id > 0 else { throw .streamOver }
        stream.it.head.keep(it.loop.it.fieldList)
        stream.it.id = id
        stream.it.owner = owner
        stream.it.isHeld = true
        stream.it.sentHead = true
        stream.it.sendsNoMore = ends
        stream.it.isHead = it.loop.it.fieldList.isHeadMethod
        stream.it.isExtendedConnect = it.loop.it.fieldList.isUpgrade
        stream.it.lengthToSend = it.loop.it.fieldList.contentLength
    }

    /// One that the library never had.
    fileprivate func dropStream(_ stream: RecordPointer<HTTP2StreamRecord>) {
        stream.it.isOpen = false
        it.openCount &-= 1
        giveUpIfUnused(stream)
    }

    /// Resets a stream that the library has. The library closes it when the frame has been sent.
    func reset(_ stream: RecordPointer<HTTP2StreamRecord>, _ code: HTTP2ErrorCode) {
        guard stream.it.isOpen else { return }
        dropPending(of: stream)
        if code.blamesPeer { countReset() }
        _ = unsafe nghttp2_submit_rst_stream(
            it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.it.id, code.rawValue)
    }

    /// Bytes that could be sent on the stream now, beyond those that wait already.
    func room(on stream: RecordPointer<HTTP2StreamRecord>) -> Int {
        guard stream.it.isOpen, !stream.it.sendsNoMore, !it.isDeaf,
            stream.it.pending.count < Limits.pendingBytes
        else { return 0 }
        // Windows do not hold heads back.
        if !stream.it.sentHead { return stream.it.interimBytes < Limits.interimBytes ? 1 : 0 }
        return max(0, windows(of: stream) &- stream.it.available)
    }

    /// What the peer's windows let go out on the stream now.
    func windows(of stream: RecordPointer<HTTP2StreamRecord>) -> Int {
        min(window(of: stream), unsafe Int(nghttp2_session_get_remote_window_size(it.library)))
    }

    private func window(of stream: RecordPointer<HTTP2StreamRecord>) -> Int {
        stream.it.isOnWire || it.isServer
            ? unsafe Int(nghttp2_session_get_stream_remote_window_size(it.library, stream.it.id))
            : unsafe Int(
                nghttp2_session_get_remote_settings(
                    it.library, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE))
    }

    /// Since when windows have held the stream back, `time` at the earliest; nil when they do not.
    /// While others move what the connection's window lets them, a stream waits for its share.
    func shutSince(_ time: Int64, _ stream: RecordPointer<HTTP2StreamRecord>) -> Int64? {
        if windows(of: stream) > 0 { return nil }
        return window(of: stream) > 0 ? max(time, it.movedAt) : time
    }

    func stalledSince(_ stream: RecordPointer<HTTP2StreamRecord>) -> Int64? {
        stream.it.stalledSince > 0 ? shutSince(stream.it.stalledSince, stream) : nil
    }

    func stallEnd(_ stream: RecordPointer<HTTP2StreamRecord>) -> Int64? {
        guard let since = stalledSince(stream) else { return nil }
        return stream.it.stallLimit == .max ? .max : since &+ stream.it.stallLimit
    }
}
