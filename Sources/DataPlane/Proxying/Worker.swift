// One event loop and everything it owns. A worker is created on its thread and never leaves it;
// other threads reach it through its mailbox only. The verbs are in extensions, a file a topic.

import Balancing
import HTTPWire
import Reactor
import Traffic

/// What a loop can be told.
enum WorkerMessage: Sendable {
    /// Serve this plan, from these listeners, which are open already. Those it has are kept.
    case apply(CompiledPlan, [OpenListener], AccessLogRing?)
    /// An endpoint went down: replayable requests waiting for it go elsewhere.
    case endpointDown(CompiledEndpoint)
    /// A slot came free for a request that this loop holds.
    case slotFreed
    /// No new connection; end when the last request has ended.
    case drain(DrainOrder)
    case stop
}

/// How service ends on a loop.
struct DrainOrder: Sendable {
    /// At the latest then (nanoseconds).
    let deadline: Int64
    /// How long an idle connection is still listened to.
    let idleNanoseconds: Int64
    /// Listeners that another process has taken over: what waits in their queues is its business.
    let passedOn: Set<NetworkAddress>
}

struct Worker: ~Copyable {
    let index: Int
    let shared: WorkerShared
    let meters: LoopMeters
    var loop: EventLoop
    var random: RandomSource
    var fields: FieldTable
    var head: HeadBuffer
    /// Trailers on their way into frames.
    var lines: HeadBuffer
    /// Where a path is normalised into.
    var path: HeadBuffer
    var requestParser: RequestParser
    let answerParser = ResponseParser()

    var clients = Slab<ClientConnection>(limit: Limits.records)
    var upstreams = Slab<UpstreamConnection>(limit: Limits.records)
    var exchanges = Slab<Exchange>(limit: Limits.records)
    var searches = Slab<ModelSearch>(limit: Limits.records)
    var probes = Slab<Probe>(limit: Limits.records)
    var carriers = Slab<Carrier>(limit: Limits.records)
    var http2 = HTTP2Loop()
    /// Where frames are written before they are sent.
    var frames = Scratch(byteCount: Limits.framesBytes)
    /// Of HTTP/2, handled since the start; wraps.
    var eventCount = 0
    /// Connections with frames to send in this batch.
    var listed: [Slot<Carrier>] = []

    var firstClient: Slot<ClientConnection>?
    /// Clients that are being told that there is no place for them.
    var uncounted = 0
    /// Of a refusal just composed, the part before its body.
    var refusalHeadBytes = 0
    var snapshot: Slot<Snapshot>
    /// All that are still in use, the current one included.
    var snapshots: [Slot<Snapshot>] = []
    /// Replaced, and used by nobody any more.
    var expired: [Slot<Snapshot>] = []
    var pools: [ObjectIdentifier: Slot<EndpointPool>] = [:]
    var checks: [ObjectIdentifier: Slot<Probe>] = [:]
    var listeners: [LoopListener] = []
    var listenersOpened: UInt32 = 0
    /// Listeners that somebody waits at, as of this batch.
    var accepting: [Int32] = []
    var reserveDescriptor = Sockets.openReserve()

    /// Connections whose turn came to an end before their bytes did.
    var resuming: [UInt64] = []
    var deadClients: [Slot<ClientConnection>] = []
    var deadUpstreams: [Slot<UpstreamConnection>] = []
    var deadExchanges: [Slot<Exchange>] = []
    var deadProbes: [Slot<Probe>] = []
    var deadCarriers: [Slot<Carrier>] = []
    /// Room for requests that leave a replica together; empty otherwise.
    var gathered: [Slot<Exchange>] = []
    /// Replay buffers of ended exchanges, so that a usual request allocates nothing.
    var spareBuffers: [HeapBytes] = []

    var gateway: GatewayRules
    var dates = DateText()
    /// Milliseconds since 1970, as of the batch.
    var wall: Int64
    var log: LogSink
    var heldCount = 0
    /// Clients in the middle of a TLS handshake.
    var handshakes = 0
    /// A slot came free during this batch for a request held here.
    var wantsHeldServed = false
    var housekeeping = TimerID.none
    /// When outliers were last looked for.
    var judged: Int64 = 0
    var isDraining = false
    var drainStarted: Int64 = 0
    var drainDeadline: Int64 = 0
    var drainIdleNanoseconds = Limits.drainIdleNanoseconds
    var isStopped = false

    static let doorbellToken: UInt64 = 15

    /// - Parameter loop: made on this thread, and polling the mailbox's doorbell already.
    init(index: Int, shared: WorkerShared, plan: CompiledPlan, loop: consuming EventLoop) {
        self.index = index
        self.shared = shared
        meters = LoopMeters(shared.counters, loop: index)
        self.loop = loop
        random = RandomSource(seed: shared.seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        fields = FieldTable(capacity: HTTPWire.Limits.headersMax)
        head = HeadBuffer(capacity: Limits.composedHeadBytes)
        lines = HeadBuffer(capacity: HTTPWire.Limits.trailerBytes + 2)
        path = HeadBuffer(capacity: HTTPWire.Limits.targetBytes)
        gateway = GatewayRules(plan.plan.gateway)
        requestParser = RequestParser(limits: gateway.wire)
        wall = Clock.wallMilliseconds()
        log = LogSink(ring: nil, sample: 0)
        snapshot = Slot<Snapshot>.make(
            Snapshot(plan: plan, services: []))
    }

    // MARK: The loop

    /// Runs until told to stop.
    mutating func run() {
        keepHouse()
        while !isStopped {
            shared.noteIdle()
            let count = loop.wait(atMost: resuming.isEmpty ? -1 : 0)
            shared.noteBusy(loop.now)
            wall = Clock.wallMilliseconds()
            for index in 0..<count {
                dispatch(loop.poller.token(index), loop.poller.readiness(index))
            }
            if !accepting.isEmpty { acceptWaiting() }
            while let token = loop.timers.popExpired(now: loop.now) { timerFired(token) }
            if !resuming.isEmpty { takeTurns() }
            if wantsHeldServed {
                wantsHeldServed = false
                serveHeld()
            }
            if !listed.isEmpty { sendFrames() }
            loop.endBatch()
            recycle()
            if !expired.isEmpty { freeExpired() }
            if isDraining { endDrainIfDone() }
        }
        shutDown()
        // What has ended makes no progress, and need not.
        shared.noteIdle()
    }

    private mutating func dispatch(_ token: UInt64, _ readiness: Readiness) {
        if token & 15 == 0 {
            guard let channel = Slot<Channel>(address: UInt(token)) else { return }
            if channel.it.isClosed { return }
            channelEvent(channel, readiness)
        } else if token == Worker.doorbellToken {
            readMailbox()
        } else {
            // Last: what clients send right behind the handshake has then come in, and is read
            // without waiting for another event.
            accepting.append(Int32(truncatingIfNeeded: token >> 4))
        }
    }

    private mutating func acceptWaiting() {
        for descriptor in accepting { acceptConnections(listener: descriptor) }
        accepting.removeAll(keepingCapacity: true)
    }

    private mutating func channelEvent(_ channel: Slot<Channel>, _ readiness: Readiness) {
        let address = RecordKind.address(of: channel.it.owner)
        switch RecordKind.kind(of: channel.it.owner) {
        case .client:
            if let client = Slot<ClientConnection>(address: address) {
                clientEvent(client, readiness)
            }
        case .upstream:
            if let upstream = Slot<UpstreamConnection>(address: address) {
                upstreamEvent(upstream, readiness)
            }
        case .probe:
            if let probe = Slot<Probe>(address: address) { probeEvent(probe, readiness) }
        default:
            break
        }
    }

    // MARK: Turns

    /// Lets connections go on that were interrupted, each once.
    private mutating func takeTurns() {
        var index = 0
        // Those that queue up again meanwhile wait for the next batch.
        let end = resuming.count
        while index < end {
            let tag = resuming[index]
            index += 1
            let address = RecordKind.address(of: tag)
            if RecordKind.kind(of: tag) == .client {
                guard let client = Slot<ClientConnection>(address: address) else { continue }
                client.it.isResuming = false
                if !client.it.isBuried { resume(client) }
            } else {
                guard let upstream = Slot<UpstreamConnection>(address: address) else { continue }
                upstream.it.isResuming = false
                if !upstream.it.isBuried { readUpstream(upstream) }
            }
        }
        resuming.removeFirst(end)
    }

    mutating func resumeLater(_ client: Slot<ClientConnection>) {
        if client.it.isResuming { return }
        client.it.isResuming = true
        resuming.append(RecordKind.tag(client, .client))
    }

    mutating func resumeLater(_ upstream: Slot<UpstreamConnection>) {
        if upstream.it.isResuming { return }
        upstream.it.isResuming = true
        resuming.append(RecordKind.tag(upstream, .upstream))
    }

    // MARK: The end of a batch

    mutating func recycle() {
        while let exchange = deadExchanges.popLast() {
            var buffer = exchange.it.replay
            if spareBuffers.count < Limits.spareBuffers {
                buffer.recycle(keeping: Limits.keptReplayBytes)
                spareBuffers.append(buffer)
            } else {
                buffer.free()
            }
            exchange.it.logText.free()
            exchange.it.requestTrailers.free()
            exchanges.give(exchange)
        }
        while let probe = deadProbes.popLast() { probes.give(probe) }
        while let carrier = deadCarriers.popLast() {
            carrier.it.session.free()
            carriers.give(carrier)
        }
        // A dead record that still has a turn coming is kept until that turn has passed.
        if !deadClients.isEmpty {
            let dead = deadClients
            deadClients.removeAll(keepingCapacity: true)
            for client in dead {
                if client.it.isResuming { deadClients.append(client) } else { clients.give(client) }
            }
        }
        if !deadUpstreams.isEmpty {
            let dead = deadUpstreams
            deadUpstreams.removeAll(keepingCapacity: true)
            for upstream in dead {
                if upstream.it.isResuming {
                    deadUpstreams.append(upstream)
                } else {
                    upstreams.give(upstream)
                }
            }
        }
    }
}
