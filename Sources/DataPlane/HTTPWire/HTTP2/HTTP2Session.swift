// One HTTP/2 connection as bytes in, bytes out and events: the owner brings what it has received,
// takes out the events and notices, and sends what `produce` writes. It never calls back, so an
// owner may do anything with a session while it looks at an event. A plain handle, for records in
// slabs: its maker frees it once, on the same loop.

internal import CNGHTTP2

package struct HTTP2Session: Equatable {
    let record: RecordPointer<HTTP2SessionRecord>

    static func make(
        on loop: RecordPointer<HTTP2LoopRecord>, isServer: Bool, _ options: HTTP2Options,
        owner: UInt, now: Int64
    ) -> HTTP2Session? {
        let record = RecordPointer(
            making: HTTP2SessionRecord(
                loop: loop, options: options, isServer: isServer, owner: owner, now: now))
        guard record.open() else {
            record.free()
            return nil
        }
        return HTTP2Session(record: record)
    }

    /// Ends the session where it stands, and all its streams with it: handles to them must not be
    /// used any more, and its events must have been handed out.
    package func free() {
        while let stream = record.it.streams {
            stream.it.isOpen = false
            stream.it.isHeld = false
            stream.it.isInNotices = false
            precondition(stream.it.mentions == 0, "events are handed out before a session is freed")
            record.giveUpIfUnused(stream)
        }
        record.free()
    }

    package var owner: UInt { record.it.owner }
    package var isServer: Bool { record.it.isServer }

    // MARK: State

    /// Streams that are open.
    package var streamCount: Int { record.it.openCount }

    /// The peer broke a rule of the protocol or of decency, or there was no memory. GOAWAY is the
    /// last thing to be sent; then the connection should be closed.
    package var fault: HTTP2ErrorCode? { record.it.fault }

    /// Nothing is to be received or sent any more: close the connection.
    package var isOver: Bool {
        if record.it.leftoverCount > 0 { return false }
        guard unsafe nghttp2_session_want_write(record.it.library) == 0 else { return false }
        return unsafe record.it.isDeaf || nghttp2_session_want_read(record.it.library) == 0
    }

    /// There is something to be sent, and the peer's windows let it.
    package var wantsToSend: Bool {
        unsafe record.it.leftoverCount > 0 || nghttp2_session_want_write(record.it.library) != 0
    }

    /// No stream begins here any more, by the word of either side.
    package var isLeaving: Bool { record.it.hasSentGoAway || record.it.peerGoAway != nil }

    /// What the peer has said about going away.
    package var peerGoAway: HTTP2GoAway? { record.it.peerGoAway }

    /// Bytes of bodies that wait, over all streams, for windows or room.
    package var pendingBytes: Int { record.it.pendingBytes }

    // MARK: Notices

    /// What became of streams since the last time: ask until there is nothing more, after the
    /// events of `receive`, and after anything that sends.
    package func nextNotice() -> HTTP2Notice? {
        while let stream = record.popNotice() {
            if stream.it.isHeld {
                return .reset(HTTP2Stream(record: stream), stream.it.resetCode)
            }
            record.giveUpIfUnused(stream)
        }
        guard record.it.roomChanged, record.it.roomSeekers > 0 else { return nil }
        guard let stream = record.mostUrgentWithRoom() else {
            record.it.roomChanged = false
            return nil
        }
        record.forgetRoom(of: stream)
        return .writable(HTTP2Stream(record: stream))
    }

    /// Some stream that the owner still holds; for ending all of them with the connection.
    package var anyStream: HTTP2Stream? {
        var next = record.it.streams
        while let stream = next {
            if stream.it.isHeld { return HTTP2Stream(record: stream) }
            next = stream.it.next
        }
        return nil
    }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    /// Whoever goes on first finds the most room, so urgency counts here, too.
    fileprivate func mostUrgentWithRoom() -> RecordPointer<HTTP2StreamRecord>? {
        var best: RecordPointer<HTTP2StreamRecord>?
        var urgency = UInt8.max
        var next = it.streams
        while let stream = next {
            next = stream.it.next
            guard stream.it.wantsRoom, stream.it.priority.urgency < urgency, room(on: stream) > 0
            else { continue }
            best = stream
            urgency = stream.it.priority.urgency
        }
        return best
    }

    /// Makes the library's session, and has it say what we allow.
    fileprivate func open() -> Bool {
        var made: OpaquePointer?
        let loop = it.loop
        // Copied by the library.
        var memory = unsafe loop.allocator
        let status =
            it.isServer
            ? unsafe nghttp2_session_server_new3(
                &made, loop.it.callbacks, raw, loop.it.options, &memory)
            : unsafe nghttp2_session_client_new3(
                &made, loop.it.callbacks, raw, loop.it.options, &memory)
        guard status == 0 else { return false }
        unsafe it.library = made
        let window =
            it.isServer ? Limits.connectionWindowBytes : Limits.replicaConnectionWindowBytes
        guard submitSettings() else { return false }
        return unsafe nghttp2_session_set_local_window_size(
            it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(window)) == 0
    }

    private func submitSettings() -> Bool {
        var entries = InlineArray<5, nghttp2_settings_entry>(
            repeating: nghttp2_settings_entry(settings_id: 0, value: 0))
        var count = 0
        func add(_ name: nghttp2_settings_id, _ value: Int) {
            entries[count] = nghttp2_settings_entry(
                settings_id: Int32(name.rawValue), value: UInt32(value))
            count += 1
        }
        add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, it.options.headBytes)
        if it.isServer {
            add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, it.options.streams)
            add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Limits.streamWindowBytes)
            add(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1)
            if it.options.allowsUpgrades { add(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1) }
        } else {
            add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
            add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Limits.replicaStreamWindowBytes)
        }
        var span = entries.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer {
            unsafe nghttp2_submit_settings(
                it.library, UInt8(NGHTTP2_FLAG_NONE.rawValue), $0.baseAddress, count) == 0
        }
    }
}

extension HTTP2Session {
    /// A head has begun and is not complete.
    package var isReceivingHead: Bool { record.it.assembly.isActive }
}
