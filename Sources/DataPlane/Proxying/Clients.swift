// Reading what clients send: where bytes become PROXY headers, request heads and bodies, and where
// a client that leaves or says too little for too long is let go.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    mutating func clientEvent(_ client: Slot<ClientConnection>, _ readiness: Readiness) {
        let channel = client.it.channel
        let hasDrained = loop.note(readiness, on: channel)
        if channel.it.isBroken { return clientGone(client) }
        switch client.it.phase {
        case .exchanging:
            // Half-closed counts as gone: nobody may be left to read a costly answer.
            if channel.it.isPeerClosed, !isTunnel(client) { return clientGone(client) }
            if readiness.contains(.failed) { return clientGone(client) }
            if hasDrained { resumeAnswer(of: client) }
            if channel.it.isReadable, !channel.it.isClosed { readClient(client) }
        case .lingering:
            if hasDrained { client.it.since = loop.now }
            if hasDrained || channel.it.isReadable { goOnLingering(client) }
        case .awaitingProxyHeader, .shakingHands, .awaitingHead, .searchingModel:
            if hasDrained { resumeLater(client) }
            if channel.it.isReadable { readClient(client) }
        case .multiplexing:
            carrierEvent(client, hasDrained: hasDrained)
        }
    }

    /// Another turn: what is stashed first, then what the kernel has.
    mutating func resume(_ client: Slot<ClientConnection>) {
        if !client.it.stash.isEmpty { consumeStash(of: client) }
        if client.it.isStream { return endRequest(of: client) }
        if let exchange = client.it.exchange { endTunnelInput(exchange) }
        if client.it.channel.it.isReadable, !client.it.channel.it.isClosed { readClient(client) }
    }

    mutating func readClient(_ client: Slot<ClientConnection>) {
        let channel = client.it.channel
        let before = eventCount
        var turns = 0
        while channel.it.isReadable, !channel.it.isClosed, wantsBytes(client) {
            if turns == Limits.readsPerTurn || eventCount &- before >= Limits.eventsPerTurn {
                return resumeLater(client)
            }
            turns += 1
            let result = loop.receive(channel, atMost: readSize(client, turns))
            if client.it.phase == .shakingHands, !handshakeWentOn(client, result) { return }
            switch result {
            case .bytes(let count): take(loop.received(count), from: client)
            case .wouldBlock: return
            case .ended where isTunnel(client): return clientEnded(client)
            case .ended, .failed: return clientGone(client)
            }
        }
    }

    /// Back-pressure: what cannot be passed on stays in the kernel, where the client feels it.
    private func wantsBytes(_ client: Slot<ClientConnection>) -> Bool {
        switch client.it.phase {
        case .awaitingProxyHeader, .shakingHands, .searchingModel, .lingering: return true
        // Who does not take the last answers is asked for nothing that would have to be answered.
        case .awaitingHead, .multiplexing: return !client.it.channel.it.isCongested
        case .exchanging:
            guard let exchange = client.it.exchange, !exchange.it.isRequestDone else {
                return false
            }
            if !exchange.it.isTransmitted {
                return exchange.it.replay.count - exchange.it.headCount < gateway.replayBytes
            }
            guard let upstream = exchange.it.upstream else { return false }
            return !upstream.it.channel.it.isCongested
        }
    }

    private func readSize(_ client: Slot<ClientConnection>, _ turns: Int) -> Int {
        guard let upstream = client.it.exchange?.it.upstream, upstream.it.phase == .busy
        else { return Limits.cautiousReadBytes }
        return turns == 1 ? firstReadSize : readSize(towards: upstream.it.channel)
    }

    var firstReadSize: Int {
        loop.surplus > Limits.surplusBytes ? Limits.cautiousReadBytes : Limits.firstReadBytes
    }

    /// How much to read at once for a destination: as much as its kernel buffer takes, since the
    /// rest must be kept here. Half of the room, because the kernel counts its own book-keeping.
    func readSize(towards destination: Slot<Channel>) -> Int {
        if destination.it.isStream { return Limits.firstReadBytes }
        if loop.surplus > Limits.surplusBytes { return Limits.cautiousReadBytes }
        let room = Sockets.sendRoom(destination.it.descriptor) / 2
        return min(max(room, Limits.cautiousReadBytes), Limits.bulkReadBytes)
    }

    // MARK: Consuming

    mutating func take(_ bytes: Bytes, from client: Slot<ClientConnection>) {
        if client.it.stash.isEmpty {
            let used = consume(bytes, from: client)
            if used < bytes.count, !client.it.channel.it.isClosed {
                client.it.stash.append(bytes.dropping(used))
            }
        } else {
            client.it.stash.append(bytes)
            consumeStash(of: client)
        }
        if client.it.channel.it.isPeerClosed, client.it.phase == .exchanging, !isTunnel(client) {
            clientGone(client)
        }
    }

    private mutating func consumeStash(of client: Slot<ClientConnection>) {
        let used = consume(client.it.stash.bytes, from: client)
        if client.it.channel.it.isClosed || client.it.phase == .lingering { return }
        client.it.stash.consume(used)
        if client.it.stash.isEmpty { client.it.stash.free() }
    }

    /// - Returns: how many of the bytes are done with; the rest is shown again with more.
    private mutating func consume(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        var offset = 0
        while offset < bytes.count, !client.it.channel.it.isClosed {
            if client.it.phase == .awaitingHead, !wantsBytes(client) { break }
            let rest = bytes.dropping(offset)
            let used =
                switch client.it.phase {
                case .awaitingProxyHeader: takeProxyHeader(rest, from: client)
                case .shakingHands: takeSealed(rest, from: client)
                case .awaitingHead: takeHead(rest, from: client)
                case .searchingModel: searchModel(rest, from: client)
                case .exchanging: takeBody(rest, from: client)
                case .multiplexing: takeFrames(rest, from: client)
                case .lingering: dropLate(rest, from: client)
                }
            if used == 0 { break }
            offset += used
        }
        return offset
    }

    private mutating func takeProxyHeader(
        _ bytes: Bytes, from client: Slot<ClientConnection>
    ) -> Int {
        do {
            guard let header = try ProxyProtocolParser.parse(bytes.span) else { return 0 }
            switch header.source {
            case .peer: break
            // Required of everybody, believed of trusted proxies only.
            case _ where !gateway.trusts(client.it.peer): break
            case .unix: client.it.peer = .unix
            case .address(let high, let low, let port):
                client.it.peer = PeerAddress(high: high, low: low, port: port)
            }
            client.it.isTrusted = gateway.trusts(client.it.peer)
            client.it.since = loop.now
            if client.it.mustSeal {
                if !beginHandshake(client) { closeClient(client) }
            } else {
                client.it.phase = .awaitingHead
                setTimer(client, after: gateway.keepAlive)
            }
            return header.byteCount
        } catch {
            refuse(client, .proxyHeader)
            return bytes.count
        }
    }

    private mutating func takeHead(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        if client.it.isFresh, bytes.first == 0x50 {
            switch HTTP2Preface.match(bytes.span) {
            case .match:
                guard beginMultiplexing(client) else {
                    closeClient(client)
                    return bytes.count
                }
                return takeFrames(bytes, from: client)
            case .needMore:
                awaitMore(bytes, from: client)
                return 0
            case .noMatch: break
            }
        }
        if client.it.scanned > 0 {
            let verdict = client.it.scanner.scan(bytes.span, from: Int(client.it.scanned))
            client.it.scanned = UInt32(bytes.count)
            if verdict == .incomplete { return 0 }
        }
        do throws(WireError) {
            guard let request = try requestParser.parse(bytes.span, fields: &fields) else {
                awaitMore(bytes, from: client)
                return 0
            }
            client.it.scanned = 0
            client.it.isFresh = false
            // A field that reads as two would be one that the sender's side never judged.
            if client.it.isStream, fields.count != Int(client.it.fieldCount) {
                throw WireError.badFieldValue
            }
            return receive(request, in: bytes, from: client)
        } catch {
            refuse(client, error)
            return bytes.count
        }
    }

    /// The head is incomplete: from its first byte on, its time runs.
    private mutating func awaitMore(_ bytes: Bytes, from client: Slot<ClientConnection>) {
        guard client.it.scanned == 0 else { return }
        client.it.scanner.reset()
        // Only a flaw would end the search already, and the parser has found none.
        _ = client.it.scanner.scan(bytes.span, from: 0)
        client.it.scanned = UInt32(bytes.count)
        client.it.since = loop.now
        setTimer(client, after: gateway.requestHead)
    }

    // MARK: Ends

    /// The client has closed, or its connection has failed: whatever is under way is given up.
    mutating func clientGone(_ client: Slot<ClientConnection>) {
        if let exchange = client.it.exchange {
            if exchange.it.isTunnel { flushTunnel(exchange) }
            cancel(exchange)
        }
        closeClient(client)
    }

    mutating func closeClient(_ client: Slot<ClientConnection>) {
        guard !client.it.channel.it.isClosed else { return }
        if client.it.carrier != nil { return endCarried(client) }
        loop.close(client.it.channel)
        bury(client)
    }

    /// Ends the connection so that what was sent cannot pass for complete.
    mutating func resetClient(_ client: Slot<ClientConnection>) {
        guard !client.it.channel.it.isClosed else { return }
        if client.it.carrier != nil { return endCarried(client) }
        loop.reset(client.it.channel)
        bury(client)
    }

    mutating func bury(_ client: Slot<ClientConnection>) {
        if let search = client.it.search { searches.give(search) }
        client.it.search = nil
        client.it.stash.free()
        if client.it.phase == .shakingHands { handshakes -= 1 }
        client.it.next?.it.previous = client.it.previous
        if let previous = client.it.previous {
            previous.it.next = client.it.next
        } else {
            firstClient = client.it.next
        }
        if client.it.isCounted { shared.connections.leave() } else { uncounted -= 1 }
        meters.openClients.decrement()
        client.it.isBuried = true
        deadClients.append(client)
    }

    /// The last answer is written: closes, but not before the client has had a chance to read it.
    /// Unread bytes would make the kernel send a reset that overtakes the answer (RFC 9112 9.6).
    mutating func linger(_ client: Slot<ClientConnection>) {
        if client.it.isStream { return completeStream(client) }
        client.it.phase = .lingering
        client.it.stash.free()
        loop.flushNow(client.it.channel)
        client.it.since = loop.now
        if !loop.poll(client.it.channel) { return closeClient(client) }
        goOnLingering(client)
    }

    var lingerNanoseconds: Int64 {
        isDraining ? Limits.lastLingerNanoseconds : Limits.lingerNanoseconds
    }

    private mutating func goOnLingering(_ client: Slot<ClientConnection>) {
        let channel = client.it.channel
        if channel.it.isBroken { return closeClient(client) }
        // Its timer is due soon already.
        if channel.it.isCongested { return }
        loop.endWrites(channel)
        loop.setTimer(channel, at: client.it.since + lingerNanoseconds)
        // In a turn of its own: where one reads, what was read before is gone, and the last answer
        // may have come with others' in one piece.
        if channel.it.isReadable { resumeLater(client) }
    }

    private func dropLate(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        if client.it.lastWords > 0 {
            client.it.lastWords -= bytes.count
            client.it.since = loop.now
        }
        return bytes.count
    }

    /// After an answer that is the connection's last: at once if there is nothing to lose by it.
    mutating func closeAfterAnswer(_ client: Slot<ClientConnection>, mustLinger: Bool) {
        let channel = client.it.channel
        if mustLinger || channel.it.isReadable || !client.it.stash.isEmpty {
            return linger(client)
        }
        loop.flushLast(channel)
        if channel.it.isCongested { return linger(client) }
        closeClient(client)
    }
}
