// Bytes in. The library takes them apart and calls back; the callbacks only note what came, so that
// nothing an owner does can reach the library while it is at work. When the queue of events is full
// it stops in the middle, and goes on when it has been emptied.

internal import CNGHTTP2

extension HTTP2Session {
    /// Takes in what the peer sent, as far as the queue of events goes. Hand out the events
    /// (`HTTP2Loop.nextEvent`), then call again with the rest of the bytes while there is one, or
    /// while `hasMore`. A session with a fault takes and drops everything.
    ///
    /// - Returns: how many bytes are done with, perhaps none. Slices of data events are slices of
    ///   `bytes`.
    package func receive(_ bytes: RawSpan, now: Int64) -> Int {
        record.it.now = now
        record.it.loop.it.begin()
        record.it.isPaused = false
        if record.it.isDeaf { return bytes.byteCount }
        if record.it.finding == nil { record.scan(bytes) }
        let count = record.feed(bytes, to: record.it.fedTo)
        if record.it.isDeaf { return bytes.byteCount }
        record.it.scannedTo &-= count
        record.it.fedTo &-= count
        record.it.scanner.advance(count)
        if !record.it.isPaused, record.it.fedTo == 0 { record.act() }
        return record.it.isDeaf ? bytes.byteCount : count
    }

    /// The last `receive` stopped because the queue was full: call it again, even with no bytes.
    package var hasMore: Bool { record.it.isPaused }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    // MARK: Frame by frame

    /// Looks at the frames ahead up to one that something has to be done about.
    fileprivate func scan(_ bytes: RawSpan) {
        let end = min(bytes.byteCount, max(it.scannedTo, Limits.receiveBytes))
        var offset = it.scannedTo
        while let finding = it.scanner.next(bytes, from: &offset, to: end) {
            // A priority is one, too; it just has to be heeded when its turn has come.
            let mayPass: Bool
            switch finding {
            case .idle, .priority: mayPass = it.meter.idleFrame(now: it.now)
            case .data(let id, let bytes): mayPass = dataMayPass(id, bytes)
            default: mayPass = true
            }
            if mayPass, finding.isDone { continue }
            it.finding = mayPass ? finding : .fault(.enhanceYourCalm)
            break
        }
        it.scannedTo = offset
        it.fedTo = it.finding == nil ? offset : max(0, it.scanner.frameStart)
    }

    /// Data for streams that are over are passed over by the library, and nobody is told. What has
    /// begun in the bytes ahead the library does not know yet.
    private func dataMayPass(_ id: Int32, _ bytes: Int) -> Bool {
        if it.isServer && id > it.lastBegun || stream(id) != nil { return true }
        if it.crossing.takeData(bytes) { return true }
        return bytes == 0 ? it.meter.idleFrame(now: it.now) : it.meter.lateFrame(now: it.now)
    }

    /// Gives the library the bytes before the frame that was found, or all that were looked at.
    fileprivate func feed(_ bytes: RawSpan, to end: Int) -> Int {
        precondition(end <= bytes.byteCount, "what was not taken is offered again")
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe it.loop.it.input = buffer.baseAddress
            return unsafe nghttp2_session_mem_recv(
                it.library, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), end)
        }
        unsafe it.loop.it.input = nil
        parkAssembly()
        if count < 0 { receiveFailed(Int32(truncatingIfNeeded: count)) }
        if unsafe nghttp2_session_get_outbound_queue_size(it.library) > Limits.outboundFrames {
            fail(.enhanceYourCalm)
        }
        if it.fault != nil { giveNotice() }
        return min(max(0, count), end)
    }

    /// Does what the frame that was found calls for.
    fileprivate func act() {
        guard let finding = it.finding else { return }
        it.finding = nil
        switch finding {
        case .idle, .data: break
        case .fault(let code): fail(code)
        case .priority(let id, let priority): heed(priority, on: id)
        case .late(let id):
            countReset()
            _ = unsafe nghttp2_submit_rst_stream(
                it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), id,
                HTTP2ErrorCode.streamClosed.rawValue)
        }
        giveNotice()
    }

    /// An error that the library does not answer itself.
    fileprivate func receiveFailed(_ status: Int32) {
        switch status {
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue, NGHTTP2_ERR_FLOODED.rawValue:
            fail(.enhanceYourCalm)
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue, NGHTTP2_ERR_PROTO.rawValue:
            fail(.protocolError)
        default:
            fail(.internalError)
        }
    }

    /// Says goodbye for a fault that the library did not find, once, and hears no more.
    func giveNotice() {
        guard let fault = it.fault, !it.isDeaf else { return }
        it.isDeaf = true
        // Without memory for it, the connection just ends.
        _ = unsafe nghttp2_session_terminate_session(it.library, fault.rawValue)
    }

    /// A client's word on a stream, of which its answer may know better.
    private func heed(_ priority: HTTP2Priority, on id: Int32) {
        if let stream = stream(id) {
            heed(priority, on: stream)
        } else {
            it.earlyPriorities.keep(priority, for: id)
        }
    }

    func heed(_ priority: HTTP2Priority, on stream: RecordPointer<HTTP2StreamRecord>) {
        stream.it.hasPriorityUpdate = true
        stream.it.asked = priority
        applyPriority(of: stream)
    }

    /// Has the library send the answer when its turn comes.
    func applyPriority(of stream: RecordPointer<HTTP2StreamRecord>) {
        let priority = stream.it.priority
        var value = nghttp2_extpri(
            urgency: UInt32(priority.urgency), inc: priority.isIncremental ? 1 : 0)
        // The field of the request's head would come after this, and say less recent things.
        _ = unsafe nghttp2_session_change_extpri_stream_priority(
            it.library, stream.it.id, &value, 1)
    }

    // MARK: What callbacks note

    /// False when the peer has gone too far: the library must stop.
    func idleFrame() -> Bool {
        if it.meter.idleFrame(now: it.now) { return true }
        fail(.enhanceYourCalm)
        return false
    }

    /// - Returns: false when the queue is full, so that the library pauses.
    func dataCame(_ stream: RecordPointer<HTTP2StreamRecord>, at offset: Int, _ count: Int) -> Bool
    {
        it.dataFrameIsEmpty = false
        stream.it.unconsumed &+= UInt32(count)
        guard stream.it.isHeld || stream.it.mentions > 0 else {
            consume(count, of: stream)
            return true
        }
        push(.data, stream, slice: Slice(from: offset, to: offset &+ count))
        // Answers count as consumed for the connection: see `replicaConnectionWindowBytes`.
        if !it.isServer { _ = unsafe nghttp2_session_consume_connection(it.library, count) }
        return it.loop.it.isFull(before: 0) ? pause() : true
    }

    func dataFrameEnded(_ stream: RecordPointer<HTTP2StreamRecord>, ends: Bool) -> Bool {
        let isEmpty = it.dataFrameIsEmpty
        it.dataFrameIsEmpty = true
        if ends {
            stream.it.hasReceivedEnd = true
            if !it.loop.it.markEnd(of: stream) { push(.end, stream, ends: true) }
        }
        if isEmpty, !ends { return idleFrame() }
        if !isEmpty { it.meter.message() }
        return true
    }

    func settingsCame(_ frame: UnsafePointer<nghttp2_frame>) {
        let count = unsafe penstock_h2_settings_count(frame)
        for index in 0..<count {
            let entry = unsafe penstock_h2_setting(frame, index)
            if entry.settings_id == Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue) {
                it.encoder.peerAllows(Int(entry.value))
            }
        }
        it.hasPeerSettings = true
        it.roomChanged = true
    }

    func goAwayCame(last: Int32, _ code: HTTP2ErrorCode) {
        it.peerGoAway = HTTP2GoAway(lastStream: last, code: code)
    }

    /// The peer reset a stream, or one that is gone already.
    func resetCame() -> Bool {
        if it.isServer, !it.meter.peerReset(now: it.now) {
            fail(.enhanceYourCalm)
            return false
        }
        return true
    }

    /// The library will not have a frame, and resets its stream. Counted here, since a read holds
    /// many of them and resets are sent after it.
    ///
    /// - Returns: false when the peer has gone too far.
    func frameWasInvalid(on id: Int32, _ status: Int32) -> Bool {
        if id == 0 { return true }
        if status != NGHTTP2_ERR_REFUSED_STREAM.rawValue {
            countReset()
        } else if !it.meter.refusal(now: it.now) {
            fail(.enhanceYourCalm)
        }
        return it.fault == nil
    }

    /// The peer's fault makes us reset a stream.
    func countReset() {
        it.countedResets &+= 1
        takeOwnReset()
    }

    /// A client that has gone too far goes. A replica may have been led to it by one client of
    /// many: its connection takes no more calls, and those that it has may end.
    func takeOwnReset() {
        if it.meter.ownReset(now: it.now) { return }
        if !it.isServer, !it.hasSentGoAway {
            it.lastResets = it.openCount
            HTTP2Session(record: self).goAway()
        }
        if it.lastResets == 0 { return fail(.enhanceYourCalm) }
        it.lastResets &-= 1
    }

    // MARK: The queue

    func push(
        _ kind: HTTP2Event.Kind, _ stream: RecordPointer<HTTP2StreamRecord>,
        slice: Slice = .none, ends: Bool = false, fields: Int = 0
    ) {
        let event = HTTP2QueuedEvent(
            kind: kind, endsStream: ends, fieldCount: UInt16(truncatingIfNeeded: fields),
            slice: slice, stream: stream)
        if !it.loop.it.push(event) { fail(.internalError) }
    }

    func pause() -> Bool {
        it.isPaused = true
        return false
    }
}
