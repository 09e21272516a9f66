// The records of one loop: a client's connection, a connection to a replica, and the exchange that
// joins them for the time of one request. Plain structs in slabs, reached through slots; each is
// freed by the loop that made it, at the end of the batch in which it dies.

import Balancing
import HTTPWire
import Reactor
import Traffic

/// What a tagged address in an event or a timer points to.
enum RecordKind: UInt64 {
    case client = 1
    case upstream = 2
    case exchange = 3
    case probe = 4
    case listener = 5
    case housekeeping = 6

    static func tag<Record: ~Copyable>(_ slot: Slot<Record>, _ kind: RecordKind) -> UInt64 {
        UInt64(slot.address) | kind.rawValue
    }

    static func kind(of tag: UInt64) -> RecordKind? { RecordKind(rawValue: tag & 15) }
    static func address(of tag: UInt64) -> UInt { UInt(tag & ~15) }
}

/// A client's connection, or one stream of it: under HTTP/2 each request has a record of its own,
/// whose channel has no socket. An exchange hangs on it only while a request is under way, which
/// keeps an idle one small.
struct ClientConnection {
    enum Phase: UInt8 {
        /// A PROXY protocol header must come first.
        case awaitingProxyHeader
        /// TLS: nothing is understood before both sides agree.
        case shakingHands
        /// Between requests, or in the middle of a head.
        case awaitingHead
        /// A request is routed by its body, which is being read.
        case searchingModel
        case exchanging
        /// HTTP/2: its streams are clients of their own.
        case multiplexing
        /// The last answer is out; what the client still sends is dropped.
        case lingering
    }

    let channel: Slot<Channel>
    var phase: Phase
    /// Its forwarding headers are believed.
    var isTrusted = false
    /// It came over TLS.
    var isSecure = false
    /// It has shown a certificate; its subject goes to the replica.
    var hasCertificate = false
    /// What it came in through, for what its next phase needs of it.
    var listener: UInt32 = 0
    /// It came in where TLS is required, whatever has become of that listener since.
    var mustSeal = false
    /// No further request is read after this one.
    var closesAfter = false
    /// Waits in the loop's queue for another turn.
    var isResuming = false
    /// Nothing was understood on it yet: it may turn out to be HTTP/2.
    var isFresh = true
    /// It was HTTP/2's, and lingers: so many bytes more are signs that it still reads.
    var lastWords = 0
    /// The gateway itself has sent 100 (Continue), to read a body it routes by.
    var sentContinue = false
    /// Takes one of the places of `limits.connections`.
    var isCounted = true
    /// Closed; only a turn still coming keeps the record. Its channel may be another's by then.
    var isBuried = false
    /// Bytes of the head so far that the scanner has seen.
    var scanned: UInt32 = 0
    /// Of a stream: fields that its head was sent with.
    var fieldCount: UInt16 = 0
    var peer: PeerAddress
    var exchange: Slot<Exchange>?
    var search: Slot<ModelSearch>?
    /// The HTTP/2 connection that this is, or whose stream this is.
    var carrier: Slot<Carrier>?
    var stream: StreamState?
    /// Bytes read but not yet consumed: an incomplete head, or what came behind a request.
    var stash = HeapBytes()
    var scanner: HeadScanner
    var pace = ReadingPace()
    /// First byte of the head, last byte of a body, or the end of the last request.
    var since: Int64
    var next: Slot<ClientConnection>?
    var previous: Slot<ClientConnection>?

    var isStream: Bool { stream != nil }
}

/// A connection to one replica, pooled by loop and endpoint, or one stream of such a connection.
struct UpstreamConnection {
    enum Phase: UInt8 {
        case connecting
        case busy
        case idle
        /// HTTP/2: its streams are upstreams of their own.
        case multiplexing
    }

    let channel: Slot<Channel>
    let pool: Slot<EndpointPool>
    var phase: Phase
    /// The TLS handshake is under way.
    var isShaking = false
    /// It was at rest when the request came: an early end may be the replica's idle timeout.
    var isReused = false
    var isResuming = false
    /// As for clients.
    var isBuried = false
    var scanned: UInt32 = 0
    var exchange: Slot<Exchange>?
    /// The HTTP/2 connection that this is, or whose stream this is.
    var carrier: Slot<Carrier>?
    var stream: StreamState?
    var stash = HeapBytes()
    var scanner: HeadScanner
    var pace = ReadingPace()
    /// Connect begun, last byte, or idle since.
    var since: Int64
    /// How long the replica keeps an idle connection, by its own word or by ours.
    var idleNanoseconds = Limits.upstreamIdleNanoseconds
    var next: Slot<UpstreamConnection>?
    var previous: Slot<UpstreamConnection>?

    var isStream: Bool { stream != nil }
    /// HTTP/2's. A stream whose answer is whole may have outlived its connection.
    var isCarried: Bool { stream != nil || carrier != nil }
}

/// One request, from its head to the last byte of its answer. The single owner of its place in the
/// endpoint's in-flight count.
struct Exchange {
    enum Phase: UInt8 {
        /// Waits for a slot of a replica with limited concurrency.
        case held
        case connecting
        case awaitingAnswer
        case answering
        /// The answer is out and this record waits for the end of the batch.
        case over
    }

    let client: Slot<ClientConnection>
    /// The second try beside this one, or, of a second try, the first.
    var partner: Slot<Exchange>?
    /// A second try: it ends without a word unless its answer comes first.
    var isHedge = false
    var wasHedged = false
    /// The first try has failed, and the second one goes on in this record.
    var isTryOfHedge = false
    let snapshot: Slot<Snapshot>
    let service: Slot<ServiceRuntime>
    var upstream: Slot<UpstreamConnection>?
    var phase = Phase.connecting

    let method: Method
    let minorVersion: UInt8
    var keepsAlive: Bool
    /// The endpoint's in-flight count holds this exchange.
    var isCounted = false
    var isRequestDone = false
    var isRequestChunked = false
    /// Its refusals are statuses of gRPC.
    var isGRPC = false
    /// What its answer has said, if it has.
    var grpcStatus: GRPCStatus?
    /// A payload that goes out over HTTP/1.1 after all, in chunks.
    var chunksPayload = false
    /// The client sends no body before the replica asks for it (RFC 9110 10.1.1).
    var awaitsContinue = false
    /// The client asked to leave HTTP, as its service allows.
    var wantsUpgrade = false
    /// Both sides have left HTTP: bytes pass both ways until either ends.
    var isTunnel = false
    /// The client's side of a tunnel has ended; what came before may still be on its way.
    var hasClientEnded = false
    /// The replay holds the bare payload behind the head: the replica may speak HTTP/2.
    var keepsPayload = false
    /// The replay holds all that was sent of the request so far.
    var isReplayable = true
    var answersChunked = false
    /// The chunks of the replica are forwarded as they came.
    var answersFramed = false
    var answersUntilClose = false
    var setsSticky = false
    /// Something of an answer has come, if only an interim head: it is never asked for again.
    var hasAnswer = false
    /// A replica has said that it had not begun with the request.
    var wasUnprocessed = false
    /// The try under way counts among the attempts.
    var isAttempt = false

    var revision: Int32 = -1
    var endpoint: Int32 = -1
    var attempts: UInt8 = 0
    var freeTries: UInt8 = 0
    /// 1xx that the client did not take.
    var interimHeadsDropped = 0
    var status: UInt16 = 0
    var depth: Int32 = 0

    let started: Int64
    /// Since when it may wait for a replica: behind `started`, its body may have been searched.
    var routedAt: Int64 = 0
    /// When the request counts as late; 0 is never.
    var hedgeAt: Int64 = 0
    var tryStarted: Int64 = 0
    /// The last byte of the request, so far, went out.
    var sentAt: Int64 = 0
    var connectNanoseconds: Int64 = -1
    var firstByteAt: Int64 = 0
    var pace = BodyPace()
    var payloadBytes: UInt64 = 0
    var bytesReceived: UInt64 = 0
    var bytesSent: UInt64 = 0

    /// The composed request head, and the body behind it while it can be replayed.
    var replay: HeapBytes
    /// Where in `replay` the request id stands, and the length of the head.
    var requestID = Slice.none
    var headCount = 0
    /// Where in `replay` lines of each try are to be inserted; 0 when there are none.
    var insertOffset = 0
    /// `Host` is the endpoint's own.
    var insertsHost = false
    /// The client's own deadline, on the loop's clock; 0 is none.
    var deadline: Int64 = 0
    var tellsTimeout = false
    var tellsGRPCTimeout = false
    /// Method and target as the client sent them, for the access log.
    var logText = HeapBytes()
    var logMethodCount = 0
    /// Field lines behind a payload that is complete.
    var requestTrailers = HeapBytes()

    var requestDecoder: BodyDecoder
    /// Of an answer that is a stream of events.
    var events: EventStreamScanner?
    var lastTokenAt: Int64 = 0
    var answerDecoder = BodyDecoder(framing: .none, keepsFraming: false)
    var choice = ChoiceRequest()
    var timer = TimerID.none
    /// Chains of the revision's hold queue.
    var nextHeld: Slot<Exchange>?
    var previousHeld: Slot<Exchange>?
    var error = RefusalCode.none

    /// No replica has said yet whether the client may leave HTTP.
    var awaitsTunnel: Bool { wantsUpgrade && phase != .answering && phase != .over }
    /// The request's bytes so far were handed to the replica's connection.
    var isTransmitted: Bool { phase == .awaitingAnswer || phase == .answering }
}

/// The search for a JSON body's `model`, while it goes on.
struct ModelSearch {
    var scanner: JSONModelScanner
    var decoder: BodyDecoder
    var pace = BodyPace()
    /// How much of the client's bytes has been decoded.
    var offset: Int
    /// When the request's head came.
    let started: Int64
}
