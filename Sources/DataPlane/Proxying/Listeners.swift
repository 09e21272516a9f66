// Listening sockets, and how connections come in through them. On TCP each loop has its own
// (SO_REUSEPORT); a unix path has one socket that all loops poll.

import HTTPWire
import Reactor
import TLS
import Traffic

/// A listening socket on its way to a loop.
struct OpenListener: Sendable {
    let plan: ListenerPlan
    let descriptor: Int32
    /// Other loops accept from the same socket, through descriptors of their own.
    let isShared: Bool
    /// Another process listens with the same socket.
    var isInherited = false
}

/// A listening socket of a loop.
struct LoopListener {
    var plan: ListenerPlan
    let descriptor: Int32
    /// The descriptor is another listener's once this one is closed; this never is.
    let number: UInt32
    let isShared: Bool
    /// Nil is cleartext.
    var tls: TLSServerContext?
    /// It does not accept until its timer fires.
    var isResting = false
    var timer = TimerID.none

    /// Low four bits all set: no record has such an address.
    var token: UInt64 { UInt64(UInt32(bitPattern: descriptor)) << 4 | 14 }
}

extension Worker {
    mutating func open(_ listener: OpenListener) {
        listenersOpened += 1
        let fresh = LoopListener(
            plan: listener.plan, descriptor: listener.descriptor, number: listenersOpened,
            isShared: listener.isShared,
            tls: snapshot.it.plan.certificates[listener.plan.address])
        listeners.append(fresh)
        do {
            try loop.poller.addLevelTriggered(
                fresh.descriptor, token: fresh.token, exclusive: fresh.isShared)
        } catch {
            shared.options.log(
                .error("cannot poll the listener \(listener.plan.address): \(error)"))
        }
    }

    /// Stops listening. What waits in the listener's queue is taken before, unless another process
    /// accepts from the same socket.
    mutating func closeListener(at place: Int, emptiesQueue: Bool = true) {
        for _ in 0..<(emptiesQueue ? Limits.lastTurns : 0) {
            guard acceptConnections(listener: listeners[place].descriptor) else { break }
        }
        var listener = listeners.remove(at: place)
        loop.timers.cancel(&listener.timer)
        loop.poller.remove(listener.descriptor)
        Sockets.close(listener.descriptor)
    }

    /// - Returns: true when there may be more in the queue.
    @discardableResult
    mutating func acceptConnections(listener descriptor: Int32) -> Bool {
        guard let place = listeners.firstIndex(where: { $0.descriptor == descriptor }),
            !listeners[place].isResting
        else { return false }
        for _ in 0..<Limits.acceptsPerTurn {
            switch Sockets.accept(descriptor) {
            case .connection(let socket, let peer):
                welcome(socket, peer, at: place)
            case .wouldBlock: return false
            case .outOfDescriptors:
                turnAway(at: place)
                return false
            case .failed: continue
            }
        }
        return true
    }

    private mutating func welcome(_ socket: Int32, _ peer: PeerAddress, at place: Int) {
        meters.accepted.increment()
        let isCounted = shared.connections.enter()
        if !isCounted { meters.refused.increment() }
        guard isCounted || uncounted < Limits.refusedAtOnce,
            let client = admit(socket, peer, isCounted: isCounted)
        else {
            if isCounted { shared.connections.leave() }
            return Sockets.close(socket)
        }
        client.it.listener = listeners[place].number
        client.it.mustSeal = listeners[place].tls != nil
        if !isCounted {
            uncounted += 1
            meters.refusal(.connectionLimit).increment()
            client.it.closesAfter = true
            // A handshake is what there is no room for: sealed clients learn it by the end.
            if listeners[place].tls != nil { return closeClient(client) }
            sendRefusal(client, .connectionLimit)
            return linger(client)
        }
        if listeners[place].plan.requiresProxyProtocol {
            client.it.phase = .awaitingProxyHeader
            setTimer(client, after: gateway.requestHead)
        } else {
            client.it.isTrusted = gateway.trusts(peer)
            if listeners[place].tls != nil {
                guard beginHandshake(client) else { return closeClient(client) }
            } else {
                setTimer(client, after: gateway.keepAlive)
            }
        }
        // What came with the handshake is read in this batch already.
        client.it.channel.it.isReadable = true
        readClient(client)
        if !client.it.channel.it.isClosed { listen(to: client) }
    }

    /// Begins to hear of a new connection; later if its only request is here whole, since its
    /// answer is then likely to be the next and last that happens on it.
    private mutating func listen(to client: Slot<ClientConnection>) {
        let isHeard: Bool
        if let exchange = client.it.exchange, exchange.it.isRequestDone, !exchange.it.keepsAlive {
            isHeard = loop.pollLater(client.it.channel)
        } else {
            isHeard = loop.poll(client.it.channel)
        }
        if !isHeard { clientGone(client) }
    }

    private mutating func admit(
        _ socket: Int32, _ peer: PeerAddress, isCounted: Bool
    ) -> Slot<ClientConnection>? {
        guard let channel = loop.openUnpolled(socket) else { return nil }
        let record = ClientConnection(
            channel: channel, phase: .awaitingHead, isCounted: isCounted, peer: peer,
            scanner: HeadScanner(headBytes: gateway.wire.headBytes), since: loop.now)
        guard let client = clients.take(record) else {
            loop.forget(channel)
            return nil
        }
        channel.it.owner = RecordKind.tag(client, .client)
        client.it.next = firstClient
        firstClient?.it.previous = client
        firstClient = client
        meters.openClients.increment()
        return client
    }

    // MARK: No descriptor left

    /// Gives up the reserve descriptor to tell one client after the other that there is no room;
    /// the queue would wake the loop for ever otherwise.
    private mutating func turnAway(at place: Int) {
        let listener = listeners[place].descriptor
        for _ in 0..<Limits.acceptsPerTurn {
            if reserveDescriptor < 0 { reserveDescriptor = Sockets.openReserve() }
            // Somebody else was quicker: what merely waits to be used again gives way.
            if reserveDescriptor < 0, closeIdleUpstream() {
                reserveDescriptor = Sockets.openReserve()
            }
            guard reserveDescriptor >= 0 else { break }
            Sockets.close(reserveDescriptor)
            reserveDescriptor = -1
            guard case .connection(let socket, _) = Sockets.accept(listener) else { break }
            meters.accepted.increment()
            meters.refused.increment()
            meters.refusal(.descriptors).increment()
            sayNoRoom(socket)
            Sockets.close(socket)
            reserveDescriptor = Sockets.openReserve()
        }
        if reserveDescriptor < 0 { reserveDescriptor = Sockets.openReserve() }
        rest(at: place)
    }

    /// False when there is none.
    mutating func closeIdleUpstream() -> Bool {
        for pool in pools.values {
            guard let idle = pool.it.firstIdle ?? idleCarrier(of: pool) else { continue }
            closeUpstream(idle)
            return true
        }
        return false
    }

    /// One answer without an exchange: there is no descriptor to poll it with.
    private mutating func sayNoRoom(_ socket: Int32) {
        composeRefusal(.descriptors, closes: true)
        // Best effort: a client that cannot take a few hundred bytes at once goes without.
        _ = unsafe head.withBytes { unsafe Sockets.send(socket, $0) }
        Sockets.shutdownWrites(socket)
        // What the client has sent already must be read, or closing would reset the answer.
        _ = loop.drain(socket)
    }

    private mutating func rest(at place: Int) {
        listeners[place].isResting = true
        let listener = listeners[place]
        loop.poller.pause(levelTriggered: listener.descriptor, token: listener.token)
        loop.timers.set(
            &listeners[place].timer, at: loop.now + Limits.listenerRestNanoseconds,
            token: UInt64(UInt32(bitPattern: listener.descriptor)) << 4
                | RecordKind.listener.rawValue)
    }

    mutating func listenerTimer(_ descriptor: Int32) {
        guard let place = listeners.firstIndex(where: { $0.descriptor == descriptor })
        else { return }
        let listener = listeners[place]
        do {
            try loop.poller.resume(
                levelTriggered: descriptor, token: listener.token, exclusive: listener.isShared)
            listeners[place].isResting = false
        } catch {
            rest(at: place)
        }
    }
}
