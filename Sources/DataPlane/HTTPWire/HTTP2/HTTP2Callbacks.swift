// What the library calls while it takes in bytes or serialises frames. Each finds its session and
// notes what happened; none calls the library's receiving or sending, nor anything of the owner's.

internal import CNGHTTP2

enum HTTP2Callbacks {
    /// The set that every session of a loop gets.
    static func make() -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&made) == 0, let set = unsafe made
        else { return nil }
        unsafe setReceiving(set)
        unsafe setSending(set)
        return unsafe set
    }

    private static func setReceiving(_ set: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(set) { _, header, user in
            guard let session = unsafe HTTP2Callbacks.session(user),
                let header = unsafe header?.pointee
            else { return 0 }
            return session.frameBegan(header) ? 0 : HTTP2Callbacks.failure
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(set) { _, frame, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let frame = unsafe frame else {
                return 0
            }
            return session.headersBegan(unsafe penstock_h2_stream(frame))
                ? 0 : HTTP2Callbacks.failure
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(set) {
            _, _, name, nameCount, value, valueCount, _, user in
            guard let session = unsafe HTTP2Callbacks.session(user) else { return 0 }
            let name = unsafe UnsafeRawBufferPointer(start: name, count: nameCount).bytes
            let value = unsafe UnsafeRawBufferPointer(start: value, count: valueCount).bytes
            if session.fieldCame(name, value) { return 0 }
            return session.it.fault == nil
                ? NGHTTP2_ERR_PAUSE.rawValue : HTTP2Callbacks.failure
        }
        // Without one, the library makes a stream with an invalid field malformed (RFC 9113 8.2.1).
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(set) {
            library, _, id, data, count, user in
            guard let session = unsafe HTTP2Callbacks.session(user),
                let stream = session.stream(id),
                let start = unsafe session.it.loop.it.input, let data = unsafe data
            else { return 0 }
            let offset = unsafe UnsafeRawPointer(data) - start
            return session.dataCame(stream, at: offset, count)
                ? 0 : NGHTTP2_ERR_PAUSE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(set) { _, frame, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let frame = unsafe frame else {
                return 0
            }
            return unsafe session.frameCame(frame) ? 0 : HTTP2Callbacks.failure
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(set) {
            _, frame, status, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let frame = unsafe frame else {
                return 0
            }
            let id = unsafe penstock_h2_stream(frame)
            return session.frameWasInvalid(on: id, status) ? 0 : HTTP2Callbacks.failure
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(set) { _, id, code, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let stream = session.stream(id)
            else { return 0 }
            session.streamClosed(stream, HTTP2ErrorCode(rawValue: code))
            return 0
        }
    }

    private static func setSending(_ set: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(set) { _, frame, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let frame = unsafe frame else {
                return 0
            }
            unsafe session.frameSent(frame)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(set) {
            _, frame, header, count, source, user in
            guard let session = unsafe HTTP2Callbacks.session(user), let header = unsafe header,
                let source = unsafe source,
                let stream = unsafe RecordPointer<HTTP2StreamRecord>(source.pointee.ptr)
            else { return HTTP2Callbacks.failure }
            unsafe session.write(header, stream, count)
            return 0
        }
    }

    /// How many bytes of a stream go into its next frame, if any.
    static let read: nghttp2_data_source_read_callback = {
        _, _, _, most, flags, source, user in
        guard let session = unsafe HTTP2Callbacks.session(user), let source = unsafe source,
            let flags = unsafe flags,
            let stream = unsafe RecordPointer<HTTP2StreamRecord>(source.pointee.ptr)
        else { return Int(HTTP2Callbacks.failure) }
        let wanted = min(most, stream.it.available)
        if wanted == 0, !stream.it.sendsNoMore {
            stream.it.isDeferred = true
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        guard let count = session.fit(wanted) else { return Int(NGHTTP2_ERR_PAUSE.rawValue) }
        let isLast = count == stream.it.available && stream.it.sendsNoMore
        stream.it.sentWhole = wanted == stream.it.available || wanted >= Limits.progressBytes
        if count > 0 { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        if isLast {
            unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if stream.it.sendsTrailers {
                unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                session.sendTrailers(of: stream)
            }
        }
        return count
    }

    fileprivate static var failure: Int32 { NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }

    @inline(__always)
    fileprivate static func session(
        _ user: UnsafeMutableRawPointer?
    ) -> RecordPointer<HTTP2SessionRecord>? {
        unsafe RecordPointer<HTTP2SessionRecord>(user)
    }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    /// Heads for streams that are over are passed over by the library, and nobody is told.
    ///
    /// - Returns: false when the peer has gone too far.
    fileprivate func frameBegan(_ header: nghttp2_frame_hd) -> Bool {
        guard Int(header.type) == PENSTOCK_H2_HEADERS else { return true }
        let id = header.stream_id
        let isNew = it.isServer && id > it.lastBegun
        if isNew { it.lastBegun = id }
        if isNew || stream(id) != nil || it.crossing.takeHead() { return true }
        if it.meter.lateHead(now: it.now) { return true }
        fail(.enhanceYourCalm)
        return false
    }

    /// False when there is no memory for the stream.
    fileprivate func headersBegan(_ id: Int32) -> Bool {
        if let stream = stream(id) {
            headBegan(stream)
            return true
        }
        let stream = addStream(id)
        guard unsafe nghttp2_session_set_stream_user_data(it.library, id, stream.raw) == 0
        else { return false }
        if let priority = it.earlyPriorities.take(for: id) { heed(priority, on: stream) }
        headBegan(stream)
        return true
    }

    /// False when the peer has gone too far.
    fileprivate func frameCame(_ frame: UnsafePointer<nghttp2_frame>) -> Bool {
        let id = unsafe penstock_h2_stream(frame)
        let ends = unsafe penstock_h2_ends_stream(frame) != 0
        switch unsafe Int(penstock_h2_type(frame)) {
        case PENSTOCK_H2_DATA:
            if let stream = stream(id) { return dataFrameEnded(stream, ends: ends) }
        case PENSTOCK_H2_HEADERS:
            if let stream = stream(id) { headEnded(stream, ends: ends) }
        case PENSTOCK_H2_RST_STREAM:
            stream(id)?.it.wasResetByPeer = true
            return resetCame()
        case PENSTOCK_H2_SETTINGS:
            if unsafe penstock_h2_is_ack(frame) == 0 { unsafe settingsCame(frame) }
        case PENSTOCK_H2_WINDOW_UPDATE:
            it.roomChanged = true
        case PENSTOCK_H2_GOAWAY:
            let code = HTTP2ErrorCode(rawValue: unsafe penstock_h2_goaway_code(frame))
            goAwayCame(last: unsafe penstock_h2_goaway_last(frame), code)
        default: break
        }
        return it.fault == nil
    }

    /// Interim heads are the library's own, and may wait with the final one behind them.
    private func headSent(
        _ frame: UnsafePointer<nghttp2_frame>, of stream: RecordPointer<HTTP2StreamRecord>
    ) {
        if unsafe penstock_h2_is_interim(frame) != 0 {
            stream.it.interimSent()
            it.roomChanged = true
        } else if stream.it.head.fieldCount > 0 {
            encodeHead(of: stream)
        }
    }

    fileprivate func frameSent(_ frame: UnsafePointer<nghttp2_frame>) {
        let id = unsafe penstock_h2_stream(frame)
        switch unsafe Int(penstock_h2_type(frame)) {
        case PENSTOCK_H2_DATA, PENSTOCK_H2_HEADERS:
            guard let stream = stream(id) else { return }
            stream.it.isOnWire = true
            if unsafe penstock_h2_type(frame) == PENSTOCK_H2_HEADERS {
                unsafe headSent(frame, of: stream)
            }
            if unsafe penstock_h2_ends_stream(frame) != 0 { endSent(stream) }
        case PENSTOCK_H2_RST_STREAM:
            resetSent(HTTP2ErrorCode(rawValue: unsafe penstock_h2_reset_code(frame)))
        case PENSTOCK_H2_GOAWAY:
            let code = HTTP2ErrorCode(rawValue: unsafe penstock_h2_goaway_code(frame))
            goAwaySent(code)
        default: break
        }
    }
}
