// What a session remembers of one stream. Plain and recycled. Three may hold a record: the library
// while the stream is open, the owner until it lets go, and events that were not handed out yet; it
// is given back when none does.

@safe struct HTTP2StreamRecord {
    let session: RecordPointer<HTTP2SessionRecord>
    var id: Int32
    /// Whatever the owner wants to find again.
    var owner: UInt = 0
    /// Events in the queue that name this record.
    var mentions: Int32 = 0

    /// The library has the stream.
    var isOpen = true
    /// The owner was given the stream, and has not let go.
    var isHeld = false
    /// It ended before both sides had.
    var wasReset = false
    var resetCode = HTTP2ErrorCode.noError
    /// The peer has sent RST_STREAM.
    var wasResetByPeer = false
    /// The owner has yet to be told of the reset.
    var isInNotices = false
    /// The owner found no room, and wants to be told when there is.
    var wantsRoom = false

    /// What to send is complete: after what is pending the stream ends, or trailers follow.
    var sendsNoMore = false
    var sendsTrailers = false
    /// A head that ends the message's head section was submitted.
    var sentHead = false
    /// The head has left: before that, the peer cannot know of the stream.
    var isOnWire = false
    /// The library asked for data when there were none.
    var isDeferred = false
    /// Reset (NO_ERROR) once the last frame is out: the peer's side is of no interest any more.
    var resetsAfterEnd = false
    /// END_STREAM has been seen, and has been sent.
    var hasReceivedEnd = false
    var hasSentEnd = false
    /// A final head has been received: what follows are trailers.
    var hasReceivedHead = false
    /// The request is HEAD: an answer's length says nothing about its bytes.
    var isHead = false
    /// RFC 8441: stands for an HTTP/1.1 upgrade.
    var isExtendedConnect = false
    /// The client has said how urgent the answer is in a frame, which outdoes the head.
    var hasPriorityUpdate = false
    /// In the client's words, and in those of the answer.
    var asked = HTTP2Priority()
    var said = HTTP2PrioritySignal()
    /// The last frame of data took all there was: the peer's window did not cut it.
    var sentWhole = true

    /// Received and not yet reported as consumed.
    var unconsumed: UInt32 = 0
    /// Payload yet to come of what the sent head promised; negative when it promised nothing.
    var lengthToSend: Int64 = -1
    /// What the caller of `send` lends for the length of the call.
    var lent: UnsafeRawPointer?
    var lentCount = 0
    var pending: HTTP2Pending
    /// The head that was submitted, until it has left.
    var head: HTTP2HeadCopy
    /// Field lines that follow when what is pending has gone out.
    var trailers = HTTP2Pending()
    /// Interim heads that the library has and has not sent, and what they cost.
    var interimHeads: Int32 = 0
    var interimBytes: Int32 = 0
    /// Since when something waits and has not moved; 0 when nothing waits.
    var stalledSince: Int64 = 0
    var movedSinceMark = 0
    /// How long windows may hold bytes back; `max` is for ever.
    var stallLimit = Int64.max

    var next: RecordPointer<HTTP2StreamRecord>?
    var previous: RecordPointer<HTTP2StreamRecord>?
    /// Chains records with a notice, or those that are free.
    var nextInChain: RecordPointer<HTTP2StreamRecord>?

    /// - Parameters:
    ///   - head: memory of an earlier one, to be used again.
    ///   - pending: likewise; empty.
    init(
        session: RecordPointer<HTTP2SessionRecord>, id: Int32,
        head: HTTP2HeadCopy = HTTP2HeadCopy(), pending: HTTP2Pending = HTTP2Pending()
    ) {
        self.session = session
        self.id = id
        self.head = head
        self.pending = pending
        unsafe lent = nil
    }

    /// A reset has made what was received before it pointless: the client has gone, or the answer
    /// is none. One that was complete still counts, and so does what a replica has said of one
    /// before it gave it up.
    var isMoot: Bool {
        wasReset && (session.it.isServer || !hasReceivedEnd && !wasResetByPeer)
    }

    /// A client's new stream becomes the owner's with its head, unless it has been reset already.
    mutating func handOver(isNew: Bool) {
        if isNew, session.it.isServer, !wasReset { isHeld = true }
    }

    var available: Int { lentCount &+ pending.count }

    var priority: HTTP2Priority { said.over(asked) }

    /// Writes the next `count` bytes.
    mutating func move(_ count: Int, to destination: UnsafeMutableRawPointer) {
        let waiting = min(count, pending.count)
        unsafe pending.take(waiting, to: destination)
        let rest = count &- waiting
        guard rest > 0, let source = unsafe lent else { return }
        precondition(rest <= lentCount, "no more is moved than is there")
        unsafe (destination + waiting).copyMemory(from: source, byteCount: rest)
        unsafe lent = source + rest
        lentCount &-= rest
    }

    mutating func addInterim(_ bytes: Int) {
        interimHeads &+= 1
        interimBytes &+= Int32(truncatingIfNeeded: bytes &+ Limits.interimCost)
    }

    /// They leave in order, so the last to leave takes the account with it.
    mutating func interimSent() {
        interimHeads &-= 1
        if interimHeads <= 0 {
            interimHeads = 0
            interimBytes = 0
        }
    }

    /// Data went out, or came to wait.
    mutating func noteProgress(_ count: Int, now: Int64) {
        movedSinceMark &+= count
        if available == 0 {
            stalledSince = 0
            movedSinceMark = 0
        } else if stalledSince == 0 || movedSinceMark >= Limits.progressBytes {
            stalledSince = now
            movedSinceMark = 0
        }
    }
}
