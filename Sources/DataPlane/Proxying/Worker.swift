// One event loop and everything it owns. A worker is created on its thread and never leaves it;
// other threads reach it through its mailbox only. The verbs are in extensions, a file a topic.

import Balancing
import HTTPWire
import Reactor
import Traffic

/// What a loop can be told.
enum WorkerMessage: Sendable {
    /// Serve this plan; the listeners are already open.
    case apply(CompiledPlan, [OpenListener])
    /// Names have been resolved anew.
    case resolved(host: String, [SocketAddress])
    /// An endpoint went down: replayable requests waiting for it go elsewhere.
    case endpointDown(CompiledEndpoint)
    /// A slot came free for a request that this loop holds.
    case slotFreed(service: Int)
    /// No new connection; end when the last request has ended.
    case drain(until: Int64)
    case stop
}

struct Worker: ~Copyable {
    let index: Int
    let shared: WorkerShared
    let meters: LoopMeters
    var loop: EventLoop
    var random: RandomSource
    var fields: FieldTable
    var head: HeadBuffer
    var requestParser = RequestParser()
    var answerParser = ResponseParser()

    var clients: Slab<ClientConnection>
    var upstreams: Slab<UpstreamConnection>
    var exchanges: Slab<Exchange>
    var searches = Slab<ModelSearch>(limit: 1_000_000)
    var probes = Slab<Probe>(limit: 100_000)

    var firstClient: Slot<ClientConnection>?
    var snapshot: Slot<Snapshot>
    var pools: [ObjectIdentifier: Slot<EndpointPool>] = [:]
    var listeners: [LoopListener] = []
    var reserveDescriptor = Sockets.openReserve()

    /// Connections whose turn came to an end before their bytes did.
    var resuming: [UInt64] = []
    var deadClients: [Slot<ClientConnection>] = []
    var deadUpstreams: [Slot<UpstreamConnection>] = []
    var deadExchanges: [Slot<Exchange>] = []
    /// Replay buffers of ended exchanges, so that a usual request allocates nothing.
    var spareBuffers: [HeapBytes] = []

    var gateway: GatewayRules
    var dates = DateText()
    var log: LogSink?
    var isDraining = false
    var drainDeadline: Int64 = 0
    var isStopped = false

    static let doorbellToken: UInt64 = 15

    init(index: Int, shared: WorkerShared, plan: CompiledPlan) throws(SystemError) {
        self.index = index
        self.shared = shared
        meters = LoopMeters(shared.counters, loop: index)
        let limits = plan.plan.gateway.limits
        let channelLimit = limits.connections * 2 + 4096
        loop = try EventLoop(channelLimit: channelLimit)
        random = RandomSource(seed: shared.seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
        fields = FieldTable(capacity: 1000)
        head = HeadBuffer(capacity: Limits.composedHeadBytes)
        clients = Slab(limit: limits.connections)
        upstreams = Slab(limit: channelLimit)
        exchanges = Slab(limit: channelLimit)
        gateway = GatewayRules(plan.plan.gateway)
        snapshot = Snapshot.empty()
        try loop.poller.addLevelTriggered(
            shared.mailbox.doorbell, token: Worker.doorbellToken)
    }

    // MARK: The loop

    /// Runs until told to stop.
    mutating func run() {
        while !isStopped {
            shared.noteIdle()
            let count = loop.wait(atMost: resuming.isEmpty ? -1 : 0)
            shared.noteBusy(loop.now)
            for index in 0..<count {
                dispatch(loop.poller.token(index), loop.poller.readiness(index))
            }
            while let token = loop.timers.popExpired(now: loop.now) { timerFired(token) }
            takeTurns()
            loop.endBatch()
            recycle()
            if isDraining { endDrainIfDone() }
        }
        shutDown()
    }

    private mutating func dispatch(_ token: UInt64, _ readiness: Readiness) {
        if token & 15 == 0 {
            guard let channel = Slot<Channel>(address: UInt(token)) else { return }
            if channel.it.isClosed { return }
            channelEvent(channel, readiness)
        } else if token == Worker.doorbellToken {
            readMailbox()
        } else {
            acceptConnections(listener: Int(token >> 4))
        }
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
                if !client.it.channel.it.isClosed { resume(client) }
            } else {
                guard let upstream = Slot<UpstreamConnection>(address: address) else { continue }
                upstream.it.isResuming = false
                if !upstream.it.channel.it.isClosed { readUpstream(upstream) }
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

    private mutating func recycle() {
        for exchange in deadExchanges {
            var buffer = exchange.it.replay
            buffer.recycle(keeping: Limits.keptReplayBytes)
            spareBuffers.append(buffer)
            exchange.it.logText.free()
            exchanges.give(exchange)
        }
        deadExchanges.removeAll(keepingCapacity: true)
        // A dead record that still has a turn coming is kept until that turn has passed.
        if !deadClients.isEmpty {
            let dead = deadClients
            deadClients = dead.filter { $0.it.isResuming }
            for client in dead where !deadClients.contains(client) { clients.give(client) }
        }
        if !deadUpstreams.isEmpty {
            let dead = deadUpstreams
            deadUpstreams = dead.filter { $0.it.isResuming }
            for upstream in dead where !deadUpstreams.contains(upstream) {
                upstreams.give(upstream)
            }
        }
    }
}
