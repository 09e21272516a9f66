// Everything in this module that could grow, and the sum behind each number. What users set is in
// the plan; these are for what nobody should have to know of.

enum Limits {
    /// One read while the destination has room: a 1 MB body then takes 4 reads. With half of it,
    /// uploads cost 8 % more CPU; with twice as much, answers did.
    static let bulkReadBytes = 512 * 1024
    /// The first read of a turn: most answers fit, and only when it was filled is it worth asking
    /// how much room the destination has.
    static let firstReadBytes = 32 * 1024
    /// The least that is read at once, even if the destination has less room: what is read must be
    /// kept until it takes it, so this is also the memory of a stalled connection.
    static let cautiousReadBytes = 16 * 1024
    /// Memory of a loop for what destinations did not take although there seemed to be room, as a
    /// system short of memory does; above it all reads are small. With one bulk read that was
    /// under way, a thousand stalled connections on four loops keep 3 KiB each beyond the usual.
    static let surplusBytes = 128 * 1024
    /// Reads of one connection before the others of the loop get their turn: 4 MiB.
    static let readsPerTurn = 8
    /// Heads, pieces of bodies and ends of one HTTP/2 connection before the others get their turn.
    /// A piece may be of one byte: 13,000 of them in `readsPerTurn` are 1.9 ms of work. With this
    /// it is the 1,640 of one read, 0.25 ms, less than the 0.4 ms it takes to cut a rapid reset.
    static let eventsPerTurn = 512
    /// Idle connections kept per endpoint and loop: the slots of a large replica. There are never
    /// more than were needed at once; with 128, 256 clients opened a connection for every fourth
    /// request. What is not needed any more ends by its age.
    static let idlePerEndpoint = 512
    /// Nanoseconds an idle upstream connection is kept when the replica names no time. Below the
    /// 60 s and 75 s of common servers; shorter ones (uvicorn: 5 s) announce or close themselves.
    static let upstreamIdleNanoseconds: Int64 = 30_000_000_000
    /// A connection idle for longer than this is asked for an end of stream before it carries a
    /// request that cannot be sent twice. One loopback round trip is far below it.
    static let trustedIdleNanoseconds: Int64 = 500_000_000
    /// Tries of which no byte left the gateway do not count as attempts, but end here: one per
    /// replica of the largest service whose replicas could all be down at once and still be listed.
    static let freeTries = 8
    /// Bytes of a JSON body searched for its `model`: OpenAI clients put it within the first few
    /// hundred bytes; long prompts put before it fit as well.
    static let modelSearchBytes = 64 * 1024
    /// Length of an `x-request-id` that is believed: a UUID has 36, common tracing ids up to 64.
    static let requestIDBytes = 128
    /// Composed heads grow by forwarding, tracing and configured headers: 64 KiB head + 16 KiB.
    static let composedHeadBytes = 336 * 1024
    /// Kept in a recycled exchange: covers a usual head, so that most requests allocate nothing.
    static let keptReplayBytes = 4 * 1024
    /// A body slower than this many bytes a second over `slowBodyNanoseconds` is a drip.
    static let slowBodyBytesPerSecond: Int64 = 100
    static let slowBodyNanoseconds: Int64 = 10_000_000_000
    /// The same for an answer that the client takes too slowly: a thousandth of what a poor mobile
    /// connection does.
    static let slowReaderBytesPerSecond: Int64 = 100
    static let slowReaderNanoseconds: Int64 = 10_000_000_000
    /// Elements of X-Forwarded-For that are read: the longest chains of proxies have about ten.
    static let forwardedElements = 32
    /// Records of a kind on one loop: far above what descriptors allow.
    static let records = 1_000_000
    /// Connections over `limits.connections` that are told so at a time, per loop; more are closed.
    static let refusedAtOnce = 1024
    /// A held request is looked at after this time even if nobody said that a slot is free.
    static let heldCheckNanoseconds: Int64 = 64_000_000
    /// Interval of a loop's housekeeping: outlier ejection is judged once a second.
    static let housekeepingNanoseconds: Int64 = 1_000_000_000
    /// How long an idle connection is still listened to when the gateway drains: a request may be
    /// on its way.
    static let drainIdleNanoseconds: Int64 = 150_000_000
    /// The same when another process has taken over: nobody waits for the end, and what pauses for
    /// less than this between two requests never meets a closed connection.
    static let succeededIdleNanoseconds: Int64 = 2_000_000_000
    /// Recycled replay buffers a loop keeps: 256 of 4 KiB.
    static let spareBuffers = 256
    /// Time to read and drop what a client still sends after its last answer, so that closing does
    /// not reset the connection under bytes in flight.
    static let lingerNanoseconds: Int64 = 1_000_000_000
    /// The same while the gateway drains: it ends within half a second of its last answer.
    static let lastLingerNanoseconds: Int64 = 250_000_000
    /// Bytes by which a client of HTTP/2 may tell that it still takes what was sent to it: two
    /// frames of 13 bytes each for every 16 KiB of more than any kernel keeps.
    static let lastWordsBytes = 64 * 1024
    /// How long a listener rests when not even the reserve descriptor helps.
    static let listenerRestNanoseconds: Int64 = 50_000_000
    /// Connections accepted in a row before others get their turn.
    static let acceptsPerTurn = 64
    /// Such turns when a listener is closed: the 4,096 connections its queue holds at most.
    static let lastTurns = 64
    /// Seconds clients are told to wait when no replica is usable.
    static let retryAfterSeconds: UInt64 = 1
    /// How long a key seals session tickets: what is recorded can be opened for three times as long
    /// by whoever steals the process's memory.
    static let ticketKeyNanoseconds: Int64 = 3_600_000_000_000
    /// TLS handshakes under way on one loop: at 0.4 ms each, four seconds of work that may still
    /// become connections; more are turned away.
    static let handshakes = 10_000
    /// HTTP/2 connections to one endpoint from one loop: 8 × 128 streams are more than any replica
    /// works on at once. Where a replica allows fewer, requests wait, `limits.pending` of them.
    static let carriersPerEndpoint = 8
    /// With those that only end: a replica that ages its connections every five minutes, and takes
    /// calls that last for hours.
    static let carriersPerEndpointMax = 64
    /// Between two looks at a connection that is to end: half of what a timeout may be late is
    /// often enough, and 20,000 of them are 1 % of a core.
    static let carrierPauseNanoseconds: Int64 = 100_000_000
    /// How long nothing must have come on a connection to a replica for it to be doubted: ones that
    /// are alive but slow are asked now and then.
    static let doubtNanoseconds: Int64 = 1_000_000_000
    /// The answer, which takes a round trip, is waited for so long. A replica that is busy with
    /// other things for longer loses nothing: it is connected to once more.
    static let askedNanoseconds: Int64 = 2_000_000_000
    /// Requests on one of them; a replica may allow fewer.
    static let streamsPerCarrier = 128
    /// Bytes that the kernel takes of a client's HTTP/2 connection beyond what it can send: what an
    /// urgent answer has to wait for. At 10 Gbit/s they last 100 µs, which is long enough to wake
    /// up and bring more; without the bound they are the socket's buffer, 4 MiB.
    static let unsentBytes: Int32 = 128 * 1024
    /// A part of a body that waits for the end of the batch: copying it twice costs less than a
    /// frame and a call of its own.
    static let gatheredBytes = 4 * 1024
    /// Interim heads (1xx) of one answer that are left out because the client does not take them.
    /// They are hints; a replica that sends still more of them has no answer in mind.
    static let interimHeadsDropped = 100
    /// Frames written in one go: as much as a bulk read brings.
    static let framesBytes = 256 * 1024
    /// No request is hedged earlier: a timer has a granularity, and a fast replica no tail.
    static let hedgeNanosecondsMin: Int64 = 1_000_000
    /// Probe interval while a revision has no usable endpoint (interface: 250 ms, rise 1).
    static let panicProbeNanoseconds: Int64 = 250_000_000
    /// Largest answer to a probe that is read; more is cut off, the status line is enough.
    static let probeAnswerBytes = 16 * 1024
}
