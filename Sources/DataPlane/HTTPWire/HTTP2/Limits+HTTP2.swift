// What one HTTP/2 connection may cost, and the sum behind each number. Together they bound what a
// peer can make a connection hold: 1 MiB of bodies on their way to replicas, one head under way
// (three times its limit at worst), 128 streams of about 1 KiB, two header tables of 4 KiB.

extension Limits {
    /// Streams a client may have open. RFC 9113 5.1.2 asks for 100 at least; browsers and gRPC
    /// channels stay below it.
    package static let streams = 128

    /// Ceiling for `streams`, and for what is used of a replica's own limit.
    package static let streamsMax = 256

    /// What a client may send of one body before any of it has been passed on: 5 MB a second over
    /// a round trip of 50 ms.
    package static let streamWindowBytes = 262_144

    /// The same for all bodies of a client's connection. What a stalled replica makes us keep of a
    /// connection is at most this.
    package static let connectionWindowBytes = 1_048_576

    /// What a replica may send of one answer before any of it has been passed on. Replicas are
    /// near: 64 KiB over 0.2 ms are 320 MB a second. 128 stalled readers then hold 8 MiB.
    package static let replicaStreamWindowBytes = 65_535

    /// For all answers of a replica's connection. Counts as consumed on receipt, since a stalled
    /// reader must not stop the others: only large enough never to matter.
    package static let replicaConnectionWindowBytes = 16_777_216

    /// Of the table that a peer fills in ours, and of ours in a peer's (RFC 7541 4.2).
    package static let headerTableBytes = 4_096

    /// What a header block may have, as it is transmitted with its frames' headers, where heads
    /// may have less; otherwise as much as a head. A head that is allowed fits even if nothing of
    /// it is compressed, since its fields count 32 bytes more there; one that is not is still
    /// answered with 431 if it is compressed below this.
    package static let headerBlockBytes = 65_536

    /// Answers to PING and SETTINGS that may wait to be sent: 200 × 200 bytes.
    package static let outboundAcks = 200

    /// Frames other than data that may wait to be sent when more comes in. Interim heads are 4,000
    /// of them at most, others some for each of 256 streams; only a peer that sends on and never
    /// reads makes the windows that it is given back pile up. 300 bytes each: 2.4 MB.
    static let outboundFrames = 8_192

    /// Entries of one SETTINGS frame; eight are defined.
    package static let settingsEntries = 32

    /// Ceiling for the bytes of a head, over HTTP/2 as over HTTP/1.1.
    package static let headBytesMax = 262_144

    /// Bytes looked at before the library gets them: four frames of the usual largest size.
    static let receiveBytes = 65_536

    /// Events taken from one connection before they are handed out: 512 × 32 bytes.
    static let eventsPerPass = 512
    /// A pass that is full still ends at most every open stream.
    static let events = eventsPerPass + 2 * streamsMax
    /// Bytes of heads taken from one connection before they are handed out.
    static let headBytesPerPass = 65_536

    /// Records of closed streams kept for the next ones, on each loop: 1,024 × 160 bytes.
    static let spareStreams = 1_024

    /// Of the memory for a head to be sent, kept with such a record.
    static let keptHeadBytes = 2_048
    static let keptHeadFields = 32

    /// Of the table that heads to a peer are written with: 15 to 25 fields, which is what returns
    /// on a connection. It costs a connection 5 KiB, from its first head on.
    static let encoderTableBytes = 2_048
    /// A larger field is not worth a place there.
    static let indexedFieldBytes = 512

    /// Pieces of memory up to this size are kept for the library's next one of that size, and at
    /// most so many of each: 1,024 streams take one or two of some six sizes, 2 MB in all.
    static let pooledBytes = 1_024
    static let pooledPieces: Int32 = 1_024

    /// Of a body that waits for windows or for the socket, before no more is read from where it
    /// comes from. One read of 32 KiB may come on top: 48 KiB for a stalled answer, however large a
    /// client makes its windows, 6 MiB for all 128 of a connection. Those that move wait in the
    /// kernel.
    static let pendingBytes = 16_384

    /// Of interim heads (1xx) of one answer that wait for the socket, before no more are taken; one
    /// on top may be as large as a head may. No window bounds them: 10 MiB for the 128 streams of
    /// a connection at worst.
    static let interimBytes = 16_384
    /// What each of them costs beside its bytes: the library's records of a frame and its fields.
    static let interimCost = 512

    /// Of the memory for bodies on their way out, kept with a record, and what it begins with: a
    /// token or a small answer.
    static let keptPendingBytes = 1_024
    static let firstPendingBytes = 256

    /// A stream that has moved fewer bytes than this has not moved: windows opened byte by byte
    /// are a stall.
    package static let progressBytes = 1_024

    // Abuse (RFC 9113 10.5): each is a bucket that holds so many, and gets so many back a second.

    /// Streams a peer may reset. Each stream that ends well gives one back, so that a client that
    /// cancels every second request (a hedging one, say) never gets near.
    static let peerResets = AbuseBudget(burst: 500, perSecond: 50)
    /// Streams that a peer's faults make us reset. An honest peer causes none. Most are counted as
    /// the fault is seen; some of the library's only when they are sent, and 128 may be on their
    /// way then: 150 in all at most.
    static let ownResets = AbuseBudget(burst: 20, perSecond: 10)
    /// Streams beyond the limit. An honest client causes some only before it has heard of the
    /// limit: all that it wants at once, and it may try those again.
    static let refusals = AbuseBudget(burst: 500, perSecond: 50)
    /// Frames that move nothing: SETTINGS, PING, PRIORITY, empty DATA, unknown ones. Heads and
    /// data give some back; WINDOW_UPDATE and PING of busy clients (two a message) stay below that.
    static let idleFrames = AbuseBudget(burst: 1_000, perSecond: 100)
    /// Frames of data for streams that are over, mostly because we ended them: what was on its way
    /// when they did. 128 calls may have a round trip's worth of small messages each. They cost
    /// 0.1 µs.
    static let lateData = AbuseBudget(burst: 10_000, perSecond: 1_000)
    /// Heads that a replica may have on the way when it hears that a call was given up: two interim
    /// ones, the head and the trailers.
    static let crossingHeads = 4
    /// Calls given up whose last frames are waited for: those of all connections of a client that
    /// leave at once, 64 MiB of windows.
    static let crossingStreams = 1_024
    /// Kilobytes that heads have, expanded, beyond their limit. The rest of a head must be read on,
    /// since the table depends on it, and a few bytes can name kilobytes: 4 MB take 2 ms. An honest
    /// head that is too large is so by less than a block may have.
    static let excessKilobytes = AbuseBudget(burst: 4_096, perSecond: 256)
}

/// How many events a bucket holds, and how many it gets back in a second.
struct AbuseBudget: Sendable {
    let burst: Int64
    let perSecond: Int64
}
