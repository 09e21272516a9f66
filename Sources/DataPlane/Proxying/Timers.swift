// Time running out. A connection has one timer, which is never wrong, only early: when it fires,
// the deadline of what the connection does now decides, and the timer is set again if it has not
// come.

import Balancing
import HTTPWire
import Reactor
import TLS
import Traffic

extension Worker {
    /// 0 sets no timer.
    mutating func setTimer(_ client: Slot<ClientConnection>, after nanoseconds: Int64) {
        if nanoseconds > 0 { loop.setTimer(client.it.channel, at: loop.now + nanoseconds) }
    }

    mutating func setTimer(_ upstream: Slot<UpstreamConnection>, after nanoseconds: Int64) {
        if nanoseconds > 0 { loop.setTimer(upstream.it.channel, at: loop.now + nanoseconds) }
    }

    mutating func timerFired(_ token: UInt64) {
        let address = RecordKind.address(of: token)
        switch RecordKind.kind(of: token) {
        case .exchange:
            if let exchange = Slot<Exchange>(address: address) { exchangeTimer(exchange) }
        case .listener: listenerTimer(Int32(truncatingIfNeeded: token >> 4))
        case .housekeeping: keepHouse()
        case .probe:
            if let probe = Slot<Probe>(address: address) { probeTimer(probe) }
        default:
            if let channel = Slot<Channel>(address: address) { channelTimer(channel) }
        }
    }

    private mutating func channelTimer(_ channel: Slot<Channel>) {
        if channel.it.isClosed { return }
        let address = RecordKind.address(of: channel.it.owner)
        switch RecordKind.kind(of: channel.it.owner) {
        case .client:
            if let client = Slot<ClientConnection>(address: address) { clientTimer(client) }
        case .upstream:
            if let upstream = Slot<UpstreamConnection>(address: address) { upstreamTimer(upstream) }
        default: break
        }
    }

    /// True when `limit` nanoseconds have passed since `start`; otherwise sets the timer for then.
    private mutating func isOver(
        _ channel: Slot<Channel>, since start: Int64, limit: Int64
    ) -> Bool {
        guard limit > 0 else { return false }
        if loop.now >= start + limit { return true }
        loop.setTimer(channel, at: start + limit)
        return false
    }

    // MARK: Clients

    private mutating func clientTimer(_ client: Slot<ClientConnection>) {
        let channel = client.it.channel
        let since = client.it.since
        switch client.it.phase {
        case .awaitingProxyHeader:
            if isOver(channel, since: since, limit: gateway.requestHead) { closeClient(client) }
        case .shakingHands:
            if isOver(channel, since: since, limit: gateway.requestHead) {
                handshakeFailed(client, nil)
            }
        case .awaitingHead:
            if channel.it.isCongested {
                if takesTooSlowly(client, gateway.responseIdle) { resetClient(client) }
            } else if client.it.scanned > 0 {
                if isOver(channel, since: since, limit: gateway.requestHead) {
                    refuse(client, .requestTimeout)
                }
            } else if isOver(channel, since: since, limit: gateway.keepAlive) {
                closeIdle(client)
            }
        case .searchingModel:
            if isOver(channel, since: since, limit: gateway.requestIdle) {
                refuse(client, .requestTimeout)
            }
        case .exchanging: exchangingTimer(client)
        case .multiplexing: carrierTimer(client)
        case .lingering: lingeringTimer(client)
        }
    }

    private mutating func lingeringTimer(_ client: Slot<ClientConnection>) {
        let channel = client.it.channel
        let isTaking =
            client.it.lastWords > 0 && Sockets.unsentBytes(channel.it.descriptor) > 0
        if channel.it.isCongested || isTaking {
            if takesTooSlowly(client, gateway.responseIdle) { return resetClient(client) }
            if !isTaking { return }
            client.it.since = loop.now
            setTimer(client, after: lingerNanoseconds)
        } else if isOver(channel, since: client.it.since, limit: lingerNanoseconds) {
            closeClient(client)
        }
    }

    private mutating func exchangingTimer(_ client: Slot<ClientConnection>) {
        guard let exchange = client.it.exchange else { return }
        let channel = client.it.channel
        if channel.it.isCongested {
            if takesTooSlowly(client, exchange.it.service.it.rules.responseIdle) {
                exchange.it.error = .slowClient
                endTry(exchange, outcome: .cancelled)
                conclude(exchange, outcome: .cancelled)
                resetClient(client)
            }
            return
        }
        // Once there is an answer, the request ends by its replica's timer.
        guard !exchange.it.isRequestDone, exchange.it.phase != .answering else { return }
        let limit = exchange.it.service.it.rules.requestIdle
        // While the replica does not take the body, or ask for it, the client is not to blame.
        if exchange.it.upstream?.it.channel.it.isCongested == true
            || !exchange.it.isTransmitted || exchange.it.awaitsContinue
        {
            return setTimer(client, after: limit)
        }
        if isOver(channel, since: client.it.since, limit: limit) { fail(exchange, .requestTimeout) }
    }

    /// Whether a client that lags gets on too slowly; if not, its timer is set for the next look.
    mutating func takesTooSlowly(
        _ client: Slot<ClientConnection>, _ idleLimit: Int64
    ) -> Bool {
        let channel = client.it.channel
        if let stream = client.it.stream {
            // A stream that opens its window in drips is found by its connection's timer; one that
            // waits for its turn, or for the connection, is not to blame.
            guard let since = stream.handle?.shutSince(channel.it.stalledAt) else {
                setTimer(client, after: idleLimit)
                return false
            }
            return isOver(channel, since: since, limit: idleLimit)
        }
        let verdict = client.it.pace.look(
            stalledAt: channel.it.stalledAt, taken: loop.takenBytes(of: channel), now: loop.now,
            idleLimit: idleLimit)
        guard case .lookAgain(let time) = verdict else { return true }
        loop.setTimer(channel, at: time)
        return false
    }

    /// Between requests: nothing is lost, but a request may just be on its way.
    mutating func closeIdle(_ client: Slot<ClientConnection>) {
        linger(client)
    }

    // MARK: Replicas

    private mutating func upstreamTimer(_ upstream: Slot<UpstreamConnection>) {
        let channel = upstream.it.channel
        switch upstream.it.phase {
        case .idle:
            if isOver(channel, since: upstream.it.since, limit: upstream.it.idleNanoseconds) {
                closeUpstream(upstream)
            }
        case .multiplexing: carrierTimer(upstream)
        case .connecting:
            if upstream.it.carrier != nil, !upstream.it.isStream { return carrierTimer(upstream) }
            guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
            let limit = exchange.it.service.it.rules.connect
            if isOver(channel, since: upstream.it.since, limit: limit) {
                let carrier = upstream.it.carrier
                tryFailed(exchange, .connectTimeout)
                if let carrier { leave(carrier) }
            }
        case .busy:
            guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
            busyTimer(upstream, exchange)
        }
    }

    private mutating func busyTimer(
        _ upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        let channel = upstream.it.channel
        if let fault = upstream.it.stream?.refusal { return wasRefused(upstream, exchange, fault) }
        if exchange.it.phase == .awaitingAnswer {
            let limit = exchange.it.service.it.rules.firstByte
            // The time for an answer begins when the request is complete, or no more of it is taken
            // or asked for.
            let isOver =
                exchange.it.isRequestDone || exchange.it.awaitsContinue
                ? isOver(channel, since: exchange.it.sentAt, limit: limit)
                : takesTooSlowly(upstream, limit)
            if isOver {
                giveUp(exchange, .firstByteTimeout)
            }
            return
        }
        if exchange.it.isTunnel, exchange.it.isRequestDone {
            return lastWordsTimer(upstream, exchange)
        }
        let limit = exchange.it.service.it.rules.streamIdle
        if exchange.it.client.it.channel.it.isCongested { return setTimer(upstream, after: limit) }
        // Of a conversation both sides count.
        let isTalk = exchange.it.isTunnel || exchange.it.isGRPC && !exchange.it.isRequestDone
        let last = isTalk ? max(upstream.it.since, exchange.it.sentAt) : upstream.it.since
        if isOver(channel, since: last, limit: limit) {
            // Where both may speak and neither does, nobody knows whose turn it was.
            cutAnswer(exchange, .streamTimeout, blamesReplica: !isTalk || channel.it.isCongested)
        }
    }

    /// Whether a replica has taken nothing of a request for too long; if not, its timer is set for
    /// the next look.
    private mutating func takesTooSlowly(
        _ upstream: Slot<UpstreamConnection>, _ idleLimit: Int64
    ) -> Bool {
        let channel = upstream.it.channel
        if channel.it.isBlocked, let since = upstream.it.stream?.handle?.stalledSince {
            return isOver(channel, since: since, limit: idleLimit)
        }
        // Its windows are open: then it is the connection that takes nothing, if anything is.
        var connection = upstream
        if case .upstream(let owner)? = upstream.it.carrier?.it.owner { connection = owner }
        let carrying = connection.it.channel
        guard carrying.it.isCongested, idleLimit > 0 else {
            setTimer(upstream, after: idleLimit)
            return false
        }
        let verdict = connection.it.pace.look(
            stalledAt: carrying.it.stalledAt, taken: loop.takenBytes(of: carrying), now: loop.now,
            idleLimit: idleLimit)
        guard case .lookAgain(let time) = verdict else { return true }
        loop.setTimer(channel, at: time)
        return false
    }

    /// Of a tunnel whose client has ended: its replica may finish what it is saying.
    private mutating func lastWordsTimer(
        _ upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        let isBusy =
            exchange.it.client.it.channel.it.isCongested || upstream.it.channel.it.isCongested
            || (upstream.it.stream?.handle?.pending ?? 0) > 0
        let limit = isBusy ? exchange.it.service.it.rules.streamIdle : Limits.lingerNanoseconds
        let last = max(upstream.it.since, exchange.it.sentAt)
        if isOver(upstream.it.channel, since: last, limit: limit) { endTunnel(exchange) }
    }

    // MARK: Exchanges

    /// Ends the exchange if its time is over, or sets its timer for when it will be.
    mutating func exchangeTimer(_ exchange: Slot<Exchange>) {
        guard exchange.it.phase != .over else { return }
        let rules = exchange.it.service.it.rules
        if loop.now >= deadline(of: exchange) {
            let isOwn = exchange.it.deadline > 0 && loop.now >= exchange.it.deadline
            return fail(exchange, isOwn ? .deadline : .totalTimeout)
        }
        if exchange.it.phase == .held, rules.firstByte > 0,
            loop.now >= exchange.it.routedAt + rules.firstByte
        {
            return fail(exchange, .overloaded)
        }
        if exchange.it.hedgeAt > 0, loop.now >= exchange.it.hedgeAt {
            exchange.it.hedgeAt = 0
            hedge(exchange)
            if exchange.it.phase == .over { return }
        }
        setExchangeTimer(exchange)
    }

    /// For the whole of the exchange, and for its wait in a queue.
    mutating func setExchangeTimer(_ exchange: Slot<Exchange>) {
        let firstByte = exchange.it.service.it.rules.firstByte
        var deadline = deadline(of: exchange)
        if exchange.it.phase == .held, firstByte > 0 {
            deadline = min(deadline, exchange.it.routedAt + firstByte)
        }
        if exchange.it.hedgeAt > 0 { deadline = min(deadline, exchange.it.hedgeAt) }
        guard deadline < .max else { return }
        loop.timers.set(
            &exchange.it.timer, at: deadline, token: RecordKind.tag(exchange, .exchange))
    }

    // MARK: Housekeeping

    /// Once a second: outliers are ejected; with requests held, more often.
    mutating func keepHouse() {
        let pause =
            heldCount > 0 ? Limits.heldCheckNanoseconds : Limits.housekeepingNanoseconds
        loop.timers.set(
            &housekeeping, at: loop.now + pause, token: RecordKind.housekeeping.rawValue)
        if heldCount > 0 { serveHeld() }
        if isDraining { closeIdleClients() }
        if index == 0, loop.now - shared.tickets.lastRotation >= Limits.ticketKeyNanoseconds {
            shared.tickets.rotate(now: loop.now)
        }
        guard index == 0, loop.now - judged >= Limits.housekeepingNanoseconds else { return }
        judged = loop.now
        let services = snapshot.it.services
        for place in 0..<services.count {
            services[place].it.balancer.table.evaluate(now: loop.now)
        }
    }
}
