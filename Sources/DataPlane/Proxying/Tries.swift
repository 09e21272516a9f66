// One try after the other: choosing an endpoint, getting a connection to it, handing the request
// over, and, when that fails before a byte of the answer, deciding whether another may follow.

import Balancing
import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// Sends the request to some endpoint, or answers it itself. The exchange may be over when this
    /// returns.
    ///
    /// - Parameter granted: a choice that was made already, and counted.
    mutating func dispatch(_ exchange: Slot<Exchange>, granted: Choice? = nil) {
        var granted = granted
        while true {
            let service = exchange.it.service
            let revision = Int(exchange.it.revision)
            let choice = granted ?? choose(for: exchange)
            granted = nil
            switch choice {
            case .endpoint(let index):
                let endpoint = service.it.revisions[revision].it.endpoints[Int(index)]
                beginTry(exchange, at: index)
                if let code = reach(endpoint, for: exchange) {
                    endTry(exchange, outcome: code.outcome, error: code)
                    // Another replica would not help, and this one is not to blame.
                    if code == .descriptors { return fail(exchange, code) }
                    exchange.it.choice.recordTry(of: index)
                    exchange.it.error = code
                    exchange.it.freeTries += 1
                    let limit = service.it.revisions[revision].it.endpoints.count
                    if Int(exchange.it.freeTries) >= min(limit, Limits.freeTries) {
                        return fail(exchange, code)
                    }
                    continue
                }
                return
            case .hold:
                return hold(exchange)
            case .none:
                return fail(exchange, exchange.it.error == .none ? .noReplica : exchange.it.error)
            }
        }
    }

    func beginTry(_ exchange: Slot<Exchange>, at index: Int32) {
        let service = exchange.it.service
        exchange.it.endpoint = index
        exchange.it.isCounted = true
        exchange.it.depth = service.it.balancer.chosenDepth
        exchange.it.tryStarted = loop.now
        exchange.it.phase = .connecting
        exchange.it.isAttempt = false
        exchange.it.isTryOfHedge = false
        if service.it.balancer.movedSession, case .cookie = service.it.rules.sticky {
            exchange.it.setsSticky = true
        }
        meters.openTries.increment()
    }

    // MARK: Connections

    /// - Returns: nil when the request is on its way or waits for a connection, else why not.
    mutating func reach(
        _ endpoint: Slot<EndpointRuntime>, for exchange: Slot<Exchange>
    ) -> RefusalCode? {
        let pool = endpoint.it.pool
        if exchange.it.keepsPayload, !pool.it.choseHTTP1 {
            return reachStream(of: pool, for: exchange)
        }
        if let upstream = takeIdle(from: pool, for: exchange) {
            upstream.it.isReused = true
            transmit(exchange, on: upstream)
            return nil
        }
        guard let address = pool.it.nextAddress() else { return .unreachable }
        switch connect(to: address) {
        case .failed(let code): return Sockets.isShortage(code) ? .descriptors : .unreachable
        case .connected(let socket):
            guard let upstream = adopt(socket, pool, isConnecting: false) else {
                return .descriptors
            }
            upstream.it.exchange = exchange
            exchange.it.upstream = upstream
            if let tls = pool.it.tls() {
                guard shakeHands(upstream, tls) else { return .upstreamTLS }
                setTimer(upstream, after: exchange.it.service.it.rules.connect)
                return nil
            }
            noteConnected(upstream, exchange)
            transmit(exchange, on: upstream)
        case .inProgress(let socket):
            guard let upstream = adopt(socket, pool, isConnecting: true) else {
                return .descriptors
            }
            upstream.it.exchange = exchange
            exchange.it.upstream = upstream
            setTimer(upstream, after: exchange.it.service.it.rules.connect)
        }
        return nil
    }

    /// With no descriptor left, a connection that merely waits to be used again gives way.
    mutating func connect(to address: SocketAddress) -> Connecting {
        let first = Sockets.connect(to: address)
        guard case .failed(let code) = first, Sockets.isShortage(code), closeIdleUpstream()
        else { return first }
        return Sockets.connect(to: address)
    }

    mutating func adopt(
        _ socket: Int32, _ pool: Slot<EndpointPool>, isConnecting: Bool
    ) -> Slot<UpstreamConnection>? {
        guard let channel = loop.open(socket, owner: 0, isConnecting: isConnecting) else {
            Sockets.close(socket)
            return nil
        }
        let record = UpstreamConnection(
            channel: channel, pool: pool, phase: .connecting, scanner: HeadScanner(),
            since: loop.now)
        guard let upstream = upstreams.take(record) else {
            loop.close(channel)
            return nil
        }
        channel.it.owner = RecordKind.tag(upstream, .upstream)
        pool.linkActive(upstream)
        pool.it.openCount += 1
        meters.openUpstreams.increment()
        return upstream
    }

    /// The idle connection used last, if it can be trusted with this request.
    private mutating func takeIdle(
        from pool: Slot<EndpointPool>, for exchange: Slot<Exchange>
    ) -> Slot<UpstreamConnection>? {
        while let upstream = pool.it.firstIdle {
            let age = loop.now - upstream.it.since
            let channel = upstream.it.channel
            // What cannot be sent twice is not risked on a connection that is just being closed.
            let needsProof = age > Limits.trustedIdleNanoseconds && !mayRepeat(exchange)
            if age >= upstream.it.idleNanoseconds || channel.it.isReadable
                || needsProof && !Sockets.isQuiet(channel.it.descriptor)
            {
                closeUpstream(upstream)
                continue
            }
            pool.unlink(upstream)
            meters.idleUpstreams.decrement()
            upstream.it.phase = .busy
            pool.linkActive(upstream)
            upstream.it.exchange = exchange
            exchange.it.upstream = upstream
            return upstream
        }
        return nil
    }

    func noteConnected(_ upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>) {
        let nanoseconds = max(0, Clock.now() - exchange.it.tryStarted)
        exchange.it.connectNanoseconds = nanoseconds
        endpoint(of: exchange).it.meter.recordConnect(nanoseconds)
        if exchange.it.service.it.revisions[Int(exchange.it.revision)].it.hasSlots {
            exchange.it.service.it.balancer.table.recordRoundTrip(
                revision: Int(exchange.it.revision), nanoseconds: nanoseconds)
        }
    }

    func endpoint(of exchange: Slot<Exchange>) -> Slot<EndpointRuntime> {
        exchange.it.service.it.revisions[Int(exchange.it.revision)].it
            .endpoints[Int(exchange.it.endpoint)]
    }

    // MARK: Handing over

    mutating func transmit(
        _ exchange: Slot<Exchange>, on upstream: Slot<UpstreamConnection>
    ) {
        upstream.it.phase = .busy
        upstream.it.scanned = 0
        upstream.it.since = loop.now
        exchange.it.phase = .awaitingAnswer
        exchange.it.attempts &+= 1
        exchange.it.isAttempt = true
        exchange.it.sentAt = loop.now
        let replay = exchange.it.replay.bytes
        if upstream.it.isStream {
            transmitOnStream(exchange, on: upstream)
            // The timer is set already: it tells of the stream that could not be opened.
            if upstream.it.stream?.refusal != nil { return }
        } else if exchange.it.keepsPayload {
            transmitPayload(exchange, on: upstream)
        } else if exchange.it.insertOffset > 0 {
            let offset = exchange.it.insertOffset
            loop.send(upstream.it.channel, replay.slice(from: 0, count: offset))
            head.removeAll()
            appendPerTry(exchange)
            loop.send(upstream.it.channel, composed)
            loop.send(upstream.it.channel, replay.dropping(offset))
        } else {
            loop.send(upstream.it.channel, replay)
        }
        if exchange.it.isRequestDone {
            setTimer(upstream, after: exchange.it.service.it.rules.firstByte)
            if exchange.it.service.it.rules.hedge != nil { planHedge(exchange) }
        } else {
            // Nobody but its timer looks whether a stream's windows let the body out, or whether it
            // is asked for.
            if upstream.it.isStream || exchange.it.awaitsContinue {
                setTimer(upstream, after: exchange.it.service.it.rules.firstByte)
            }
            // What the client has sent meanwhile waits in its stash or in the kernel.
            exchange.it.pace.forgive()
            resumeLater(exchange.it.client)
        }
    }

    mutating func upstreamEvent(_ upstream: Slot<UpstreamConnection>, _ readiness: Readiness) {
        let channel = upstream.it.channel
        let hasDrained = loop.note(readiness, on: channel)
        switch upstream.it.phase {
        case .connecting where upstream.it.isShaking:
            if channel.it.isReadable { goOnShaking(upstream) }
        case .connecting:
            let isDecided = !readiness.isDisjoint(with: [.writable, .failed, .hungUp])
            if isDecided { connectEnded(upstream) }
        case .idle:
            // An idle connection that says anything, if only that it ends, is of no use.
            if channel.it.isReadable || channel.it.isPeerClosed { closeUpstream(upstream) }
        case .multiplexing:
            carrierEvent(upstream, hasDrained: hasDrained)
        case .busy:
            if hasDrained, let exchange = upstream.it.exchange {
                if exchange.it.isTunnel, exchange.it.isRequestDone { shutTunnel(upstream) }
                exchange.it.pace.forgive()
                resumeLater(exchange.it.client)
            }
            if channel.it.isReadable { readUpstream(upstream) }
        }
    }

    private mutating func connectEnded(_ upstream: Slot<UpstreamConnection>) {
        let failed = Sockets.pendingError(upstream.it.channel.it.descriptor) != 0
        if !failed, let tls = upstream.it.pool.it.tls() {
            loop.connected(upstream.it.channel)
            if !shakeHands(upstream, tls) { shakingFailed(upstream) }
            return
        }
        if upstream.it.carrier != nil {
            return carrierConnected(upstream, failed: failed ? .unreachable : nil)
        }
        guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
        if failed { return tryFailed(exchange, .unreachable) }
        loop.connected(upstream.it.channel)
        beginUse(of: upstream, for: exchange)
    }

    /// The connection is there, and carries its first request.
    mutating func beginUse(
        of upstream: Slot<UpstreamConnection>, for exchange: Slot<Exchange>
    ) {
        noteConnected(upstream, exchange)
        transmit(exchange, on: upstream)
        if upstream.it.channel.it.isReadable { readUpstream(upstream) }
    }

    mutating func closeUpstream(_ upstream: Slot<UpstreamConnection>) {
        guard !upstream.it.channel.it.isClosed else { return }
        if upstream.it.isCarried { return endCarried(upstream) }
        let pool = upstream.it.pool
        pool.unlink(upstream)
        if upstream.it.phase == .idle { meters.idleUpstreams.decrement() }
        loop.drop(upstream.it.channel)
        upstream.it.stash.free()
        upstream.it.exchange = nil
        pool.it.openCount -= 1
        meters.openUpstreams.decrement()
        upstream.it.isBuried = true
        deadUpstreams.append(upstream)
        freeIfUnused(pool)
    }

    /// Gives the try's place and connection back and tells everybody how it went. A connection that
    /// may carry another request has been taken off the exchange before.
    mutating func endTry(
        _ exchange: Slot<Exchange>, outcome: Outcome, error: RefusalCode = .none
    ) {
        guard exchange.it.isCounted else { return }
        exchange.it.isCounted = false
        let endpoint = endpoint(of: exchange)
        let latency = loop.now - exchange.it.tryStarted
        endpoint.it.handle.end()
        meters.openTries.decrement()
        exchange.it.service.it.balancer.finished(
            revision: Int(exchange.it.revision), endpoint: exchange.it.endpoint,
            result: TryResult(
                outcome: outcome, latencyNanoseconds: latency, depth: exchange.it.depth),
            now: loop.now)
        let meter = endpoint.it.meter
        meter.record(outcome: outcome, status: Int(exchange.it.status))
        if error == .none {
            meter.recordTotal(latency)
            if exchange.it.firstByteAt > 0 {
                meter.recordFirstByte(exchange.it.firstByteAt - exchange.it.tryStarted)
            }
        }
        meter.addBytes(received: exchange.it.bytesReceived, sent: exchange.it.bytesSent)
        if outcome != .cancelled, endpoint.it.handle.lastError != error.rawValue {
            endpoint.it.handle.lastError = error.rawValue
        }
        if let upstream = exchange.it.upstream {
            exchange.it.upstream = nil
            closeUpstream(upstream)
        }
        if heldCount > 0 || exchange.it.service.it.revisions[Int(exchange.it.revision)].it.hasSlots
        {
            slotFreed(exchange)
        }
    }
}
