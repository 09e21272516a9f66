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
    case pool = 6

    static func tag<Record: ~Copyable>(_ slot: Slot<Record>, _ kind: RecordKind) -> UInt64 {
        UInt64(slot.address) | kind.rawValue
    }

    static func kind(of tag: UInt64) -> RecordKind? { RecordKind(rawValue: tag & 15) }
    static func address(of tag: UInt64) -> UInt { UInt(tag & ~15) }
}

/// A client's connection. An exchange hangs on it only while a request is under way, which keeps
/// an idle one small.
struct ClientConnection {
    enum Phase: UInt8 {
        /// A PROXY protocol header must come first.
        case awaitingProxyHeader
        /// Between requests, or in the middle of a head.
        case awaitingHead
        /// A request is routed by its body, which is being read.
        case searchingModel
        case exchanging
        /// The last answer is out; what the client still sends is dropped.
        case lingering
    }

    let channel: Slot<Channel>
    var phase: Phase
    /// Its forwarding headers are believed.
    var isTrusted = false
    /// No further request is read after this one.
    var closesAfter = false
    /// Waits in the loop's queue for another turn.
    var isResuming = false
    var sentContinue = false
    var listener: UInt8
    var peer: PeerAddress
    var exchange: Slot<Exchange>?
    var search: Slot<ModelSearch>?
    /// Bytes read but not yet consumed: an incomplete head, or what came behind a request.
    var stash = HeapBytes()
    var scanner = HeadScanner()
    /// First byte of the head, or the end of the last request; for timeouts.
    var since: Int64
    var next: Slot<ClientConnection>?
    var previous: Slot<ClientConnection>?
}

/// A connection to one replica, pooled by loop and endpoint.
struct UpstreamConnection {
    enum Phase: UInt8 {
        case connecting
        case busy
        case idle
    }

    let channel: Slot<Channel>
    let pool: Slot<EndpointPool>
    var phase: Phase
    /// It has carried a request before: an early close may be the replica's idle timeout.
    var isReused = false
    var isResuming = false
    var exchange: Slot<Exchange>?
    var stash = HeapBytes()
    var scanner = HeadScanner()
    /// Connect begun, last byte, or idle since.
    var since: Int64
    /// How long the replica keeps an idle connection, by its own word or by ours.
    var idleNanoseconds = Limits.upstreamIdleNanoseconds
    var next: Slot<UpstreamConnection>?
    var previous: Slot<UpstreamConnection>?
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
    }

    let client: Slot<ClientConnection>
    let snapshot: Slot<Snapshot>
    let service: Slot<ServiceRuntime>
    var upstream: Slot<UpstreamConnection>?
    var phase: Phase = .connecting

    var method: Method
    var minorVersion: UInt8
    var keepsAlive: Bool
    /// The endpoint's in-flight count holds this exchange.
    var isCounted = false
    var isRequestDone = false
    /// The replay holds all that was sent of the request so far.
    var isReplayable = true
    /// A byte of the request was handed to the kernel in this try.
    var leftGateway = false
    var answersChunked = false
    var answersUntilClose = false
    var isPanicTry = false
    var setsSticky = false
    var hasTotalTimer = false
    var usedStaleRetry = false
    var isLogged = false

    var revision: Int32 = -1
    var endpoint: Int32 = -1
    var overrideRevision: Int32 = -1
    var attempts: UInt8 = 0
    var freeTries: UInt8 = 0
    var status: UInt16 = 0
    var depth: Int32 = 0
    var tried: UInt64 = 0

    var started: Int64
    var tryStarted: Int64 = 0
    var connectNanoseconds: Int64 = -1
    var firstByteAt: Int64 = 0
    var bodyStarted: Int64 = 0
    var bytesReceived: UInt64 = 0
    var bytesSent: UInt64 = 0

    /// The composed request head, and the body behind it while it can be replayed.
    var replay = HeapBytes()
    /// Where in `replay` the request id stands, and the length of the head.
    var requestID = Slice(offset: 0, count: 0)
    var headCount = 0
    /// `Host` line within `replay`, when it names the endpoint and changes with it.
    var hostLine = Slice(offset: 0, count: 0)
    /// Method and target as the client sent them, for the access log.
    var logText = HeapBytes()
    var logMethodCount: UInt16 = 0

    var requestDecoder: BodyDecoder
    var answerDecoder = BodyDecoder(framing: .none, keepsFraming: false)
    var choice = ChoiceRequest()
    var totalTimer = TimerID.none
    /// Chains of the service's hold queue.
    var nextHeld: Slot<Exchange>?
    var previousHeld: Slot<Exchange>?
    var error: RefusalCode = .none
}

/// The search for a JSON body's `model`, while it goes on.
struct ModelSearch {
    var scanner: JSONModelScanner
    var decoder: BodyDecoder
    /// How much of the client's stash has been decoded.
    var offset: Int
}
