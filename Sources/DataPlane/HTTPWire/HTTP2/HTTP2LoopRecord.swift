// What the sessions of one loop share, so that a connection at rest has none of it: the queue of
// events, the bytes of the heads in it, and scratch for what is being sent. Only one session works
// at a time, and what it produced is handed out before the next one receives.

internal import CNGHTTP2

@safe struct HTTP2LoopRecord: ~Copyable {
    let callbacks: OpaquePointer
    let options: OpaquePointer
    /// Heads and trailers of the events.
    var heads = HeadBuffer(
        capacity: Limits.headBytesPerPass + Limits.headBytesMax + HTTP2Assembly.extraBytes)
    /// Pseudo-header fields and cookies of the head being put together.
    var side = HeadBuffer(capacity: Limits.headBytesMax)
    var fieldList = HTTP2FieldList()
    var memory = HTTP2Memory()
    /// The frames of a head that is being sent.
    var block = HTTP2BlockRoom()
    private let events: UnsafeMutablePointer<HTTP2QueuedEvent>
    private var eventsTaken = 0
    private(set) var eventCount = 0

    /// What `receive` was given, while it runs: data are slices of it.
    var input: UnsafeRawPointer?
    /// Where `produce` writes, while it runs.
    var room: UnsafeMutableRawPointer?
    var roomCount = 0
    var roomUsed = 0

    private var spare: RecordPointer<HTTP2StreamRecord>?
    private var spareCount = 0

    init?() {
        guard let callbacks = unsafe HTTP2Callbacks.make() else { return nil }
        guard let options = unsafe HTTP2LoopRecord.makeOptions() else {
            unsafe nghttp2_session_callbacks_del(callbacks)
            return nil
        }
        unsafe self.callbacks = unsafe callbacks
        unsafe self.options = unsafe options
        unsafe events = .allocate(capacity: Limits.events)
        unsafe input = nil
        unsafe room = nil
    }

    deinit {
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        unsafe events.deallocate()
        var next = spare
        while let record = next {
            next = record.it.nextInChain
            record.it.head.free()
            record.it.pending.free()
            record.free()
        }
    }

    private static func makeOptions() -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_option_new(&made) == 0, let options = unsafe made else { return nil }
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_peer_max_concurrent_streams(options, 100)
        unsafe nghttp2_option_set_max_reserved_remote_streams(options, 0)
        // The table on the way out is ours: whatever the library writes must not need one.
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(options, 0)
        unsafe nghttp2_option_set_max_send_header_block_length(options, Limits.headBytesMax * 2)
        unsafe nghttp2_option_set_max_outbound_ack(options, Limits.outboundAcks)
        unsafe nghttp2_option_set_max_settings(options, Limits.settingsEntries)
        // The scanner counts these, and exactly: the library's own count of CONTINUATION goes up
        // with every piece that a frame's header arrives in.
        unsafe nghttp2_option_set_max_continuations(
            options, Limits.headBytesMax + Limits.headerBlockBytes)
        // Ours comes first and says why; this one stands behind it.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 10_000, 1_000)
        return unsafe options
    }

    // MARK: Events

    /// Nothing more should be taken in before what there is has been handed out: so many events, or
    /// so many bytes of heads that are complete.
    func isFull(before start: Int) -> Bool {
        eventCount >= Limits.eventsPerPass || start >= Limits.headBytesPerPass
    }

    /// Before a session receives.
    mutating func begin() {
        precondition(eventsTaken == eventCount, "events are handed out before more is received")
        eventsTaken = 0
        eventCount = 0
        heads.removeAll()
    }

    /// False when the queue is full, which only a fault of ours can bring about.
    mutating func push(_ event: HTTP2QueuedEvent) -> Bool {
        guard eventCount < Limits.events else { return false }
        unsafe events[eventCount] = event
        eventCount &+= 1
        event.stream.it.mentions &+= 1
        return true
    }

    /// Notes on the last event that it is the stream's end; false if that event is not its data.
    mutating func markEnd(of stream: RecordPointer<HTTP2StreamRecord>) -> Bool {
        guard eventCount > eventsTaken else { return false }
        let last = eventCount &- 1
        guard unsafe events[last].kind == .data, unsafe events[last].stream == stream
        else { return false }
        unsafe events[last].endsStream = true
        return true
    }

    mutating func pop() -> HTTP2QueuedEvent? {
        guard eventsTaken < eventCount else { return nil }
        defer { eventsTaken &+= 1 }
        return unsafe events[eventsTaken]
    }

    // MARK: Records

    mutating func takeStream(
        session: RecordPointer<HTTP2SessionRecord>, id: Int32
    ) -> RecordPointer<HTTP2StreamRecord> {
        guard let record = spare else {
            return RecordPointer(making: HTTP2StreamRecord(session: session, id: id))
        }
        spare = record.it.nextInChain
        spareCount &-= 1
        record.it = HTTP2StreamRecord(
            session: session, id: id, head: record.it.head, pending: record.it.pending)
        return record
    }

    mutating func giveStream(_ record: RecordPointer<HTTP2StreamRecord>) {
        record.it.trailers.free()
        guard spareCount < Limits.spareStreams else {
            record.it.head.free()
            record.it.pending.free()
            return record.free()
        }
        record.it.head.recycle()
        record.it.pending.recycle()
        record.it.nextInChain = spare
        spare = record
        spareCount &+= 1
    }
}
