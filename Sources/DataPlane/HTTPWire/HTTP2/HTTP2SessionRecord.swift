// What one HTTP/2 connection remembers. Reached by the session's handle, by its streams, and by the
// library's callbacks; all of them run on the loop that made it.

internal import CNGHTTP2

@safe struct HTTP2SessionRecord: ~Copyable {
    let loop: RecordPointer<HTTP2LoopRecord>
    let options: HTTP2Options
    let isServer: Bool
    let owner: UInt
    /// Set once, as soon as the library has made it.
    var library: OpaquePointer?
    /// As of the last call that was told the time.
    var now: Int64

    /// Streams the owner or the library holds, newest first.
    var streams: RecordPointer<HTTP2StreamRecord>?
    /// Of them, those that the library has.
    var openCount = 0
    /// The open stream that was last looked for.
    var latest: RecordPointer<HTTP2StreamRecord>?
    var firstNotice: RecordPointer<HTTP2StreamRecord>?
    var lastNotice: RecordPointer<HTTP2StreamRecord>?
    /// Streams that found no room.
    var roomSeekers = 0
    /// Windows may have opened, or something pending has gone out, since they were last looked for.
    var roomChanged = false
    /// Bytes pending on all streams.
    var pendingBytes = 0
    /// When streams last moved what each of them has to, together; and what they have since.
    var movedAt: Int64 = 0
    var movedSinceMark = 0

    /// The latest stream that a client has begun.
    var lastBegun: Int32 = 0

    var meter: HTTP2AbuseMeter
    /// What may still come of streams that were given up here.
    var crossing = HTTP2Crossing()
    /// Resets that were counted as the peer's fault and have not been sent yet.
    var countedResets = 0
    /// How many more may be a replica's fault on a connection that has been given up for them.
    var lastResets = 0
    var scanner: HTTP2FrameScanner
    /// How far the next bytes have been scanned and how far the library may have them, and what is
    /// to be done then.
    var scannedTo = 0
    var fedTo = 0
    var finding: HTTP2FrameScanner.Finding?
    var earlyPriorities = HTTP2EarlyPriorities()
    var assembly = HTTP2Assembly()
    /// The library stopped in the middle of its input.
    var isPaused = false
    /// The frame of data under way has carried nothing.
    var dataFrameIsEmpty = true

    /// A frame that the library has serialised and the room could not take, or the rest of it.
    var leftover: UnsafePointer<UInt8>?
    var leftoverCount = 0
    /// Frames of the head that the library has just serialised, in the loop's memory for blocks.
    var blockBytes: Int?
    /// It lies in the loop's memory for blocks, or has moved to `keptFrames` from there.
    var leftoverIsBlock = false
    var keptFrames = HTTP2Pending()
    var encoder = HPACKEncoder()

    /// Why the session can go no further.
    var fault: HTTP2ErrorCode?
    /// The library refuses further input; it may still have a GOAWAY to send.
    var isDeaf = false
    var hasPeerSettings = false
    var peerGoAway: HTTP2GoAway?
    var hasSentGoAway = false

    init(
        loop: RecordPointer<HTTP2LoopRecord>, options: HTTP2Options, isServer: Bool, owner: UInt,
        now: Int64
    ) {
        self.loop = loop
        self.options = options
        self.isServer = isServer
        self.owner = owner
        self.now = now
        meter = HTTP2AbuseMeter(now: now)
        scanner = HTTP2FrameScanner(isServer: isServer, headBytes: options.headBytes)
        unsafe library = nil
        unsafe leftover = nil
    }

    deinit {
        unsafe nghttp2_session_del(library)
        assembly.deallocate()
        keptFrames.deallocate()
    }
}

/// What a peer's GOAWAY said.
package struct HTTP2GoAway: Equatable, Sendable {
    /// Streams above it were not processed, and have ended as refused.
    package let lastStream: Int32
    package let code: HTTP2ErrorCode
}

extension RecordPointer where Record == HTTP2SessionRecord {
    // MARK: Streams

    /// A record for a stream that the library has just opened.
    func addStream(_ id: Int32) -> RecordPointer<HTTP2StreamRecord> {
        let stream = it.loop.it.takeStream(session: self, id: id)
        stream.it.next = it.streams
        it.streams?.it.previous = stream
        it.streams = stream
        it.openCount &+= 1
        return stream
    }

    /// An open stream. Frames of one stream often follow each other, so the last one is kept.
    func stream(_ id: Int32) -> RecordPointer<HTTP2StreamRecord>? {
        if let latest = it.latest, latest.it.id == id { return latest }
        let found = unsafe RecordPointer<HTTP2StreamRecord>(
            nghttp2_session_get_stream_user_data(it.library, id))
        if let found { it.latest = found }
        return found
    }

    /// Gives the record back when neither the library, the owner nor an event holds it.
    func giveUpIfUnused(_ stream: RecordPointer<HTTP2StreamRecord>) {
        if stream.it.isOpen || stream.it.isHeld || stream.it.mentions > 0 { return }
        if stream.it.isInNotices { return }
        stream.it.next?.it.previous = stream.it.previous
        if let previous = stream.it.previous {
            previous.it.next = stream.it.next
        } else {
            it.streams = stream.it.next
        }
        it.loop.it.giveStream(stream)
    }

    /// The library has closed the stream: it has ended on both sides, or was reset.
    func streamClosed(_ stream: RecordPointer<HTTP2StreamRecord>, _ code: HTTP2ErrorCode) {
        stream.it.isOpen = false
        it.openCount &-= 1
        it.latest = nil
        // What was received and never consumed must not shrink the connection's window for ever.
        consume(Int(stream.it.unconsumed), of: stream)
        dropPending(of: stream)
        forgetRoom(of: stream)
        if stream.it.hasReceivedEnd && stream.it.hasSentEnd {
            it.meter.streamEnded()
        } else {
            stream.it.wasReset = true
            // What never left can be sent again, whatever the library's reason.
            stream.it.resetCode = it.isServer || stream.it.isOnWire ? code : .refusedStream
            let wasGivenUp = !stream.it.hasReceivedEnd && !stream.it.wasResetByPeer
            if !it.isServer, wasGivenUp, !code.blamesPeer { it.crossing.gaveUp() }
            if stream.it.isHeld { addNotice(stream) }
        }
        giveUpIfUnused(stream)
    }

    func dropPending(of stream: RecordPointer<HTTP2StreamRecord>) {
        it.pendingBytes &-= stream.it.pending.count
        stream.it.pending.recycle()
        stream.it.stalledSince = 0
    }

    // MARK: Notices

    func addNotice(_ stream: RecordPointer<HTTP2StreamRecord>) {
        if stream.it.isInNotices { return }
        stream.it.isInNotices = true
        stream.it.nextInChain = nil
        if let last = it.lastNotice {
            last.it.nextInChain = stream
        } else {
            it.firstNotice = stream
        }
        it.lastNotice = stream
    }

    func popNotice() -> RecordPointer<HTTP2StreamRecord>? {
        guard let stream = it.firstNotice else { return nil }
        it.firstNotice = stream.it.nextInChain
        if it.firstNotice == nil { it.lastNotice = nil }
        stream.it.nextInChain = nil
        stream.it.isInNotices = false
        return stream
    }

    func forgetRoom(of stream: RecordPointer<HTTP2StreamRecord>) {
        guard stream.it.wantsRoom else { return }
        stream.it.wantsRoom = false
        it.roomSeekers &-= 1
    }

    // MARK: Windows

    /// The owner is done with bytes that the stream received; the peer may send as many more.
    func consume(_ count: Int, of stream: RecordPointer<HTTP2StreamRecord>) {
        let counted = min(count, Int(stream.it.unconsumed))
        guard counted > 0 else { return }
        stream.it.unconsumed &-= UInt32(counted)
        if it.isDeaf { return }
        // Failures are of memory, and show in the next call that can tell of them.
        if !it.isServer {
            if stream.it.isOpen {
                _ = unsafe nghttp2_session_consume_stream(it.library, stream.it.id, counted)
            }
        } else if stream.it.isOpen {
            _ = unsafe nghttp2_session_consume(it.library, stream.it.id, counted)
        } else {
            _ = unsafe nghttp2_session_consume_connection(it.library, counted)
        }
    }

    // MARK: Faults

    /// The session can go no further: GOAWAY with this code is the last it says.
    func fail(_ code: HTTP2ErrorCode) {
        if it.fault == nil { it.fault = code }
    }
}
