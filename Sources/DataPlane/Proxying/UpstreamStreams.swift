// Requests that go to replicas as HTTP/2 streams: few connections for each endpoint and loop, many
// requests on each, and answers that end like any other.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// What the exchange's revision is spoken to in.
    func speaksHTTP2(_ exchange: Slot<Exchange>) -> Bool {
        let revision = Int(exchange.it.revision)
        guard revision >= 0 else { return false }
        return exchange.it.service.it.revisions[revision].it.speaksHTTP2
    }

    // MARK: Connections

    /// - Returns: nil when the request is on its way or waits for a connection, else why not.
    mutating func reachStream(
        of pool: Slot<EndpointPool>, for exchange: Slot<Exchange>
    ) -> RefusalCode? {
        if let connection = roomiest(of: pool) {
            return open(exchange, on: connection)
        }
        guard hasRoomForCarrier(pool) else { return .overloaded }
        guard let address = pool.it.nextAddress() else { return .unreachable }
        let connection: Slot<UpstreamConnection>?
        switch connect(to: address) {
        case .failed(let code): return Sockets.isShortage(code) ? .descriptors : .unreachable
        case .connected(let socket): connection = adopt(socket, pool, isConnecting: false)
        case .inProgress(let socket): connection = adopt(socket, pool, isConnecting: true)
        }
        guard let connection else { return .descriptors }
        var options = HTTP2Options()
        options.isSecure = pool.it.endpoint.key.tls != nil
        guard
            let carrier = makeCarrier(
                .upstream(connection), on: connection.it.channel, options: options)
        else {
            closeUpstream(connection)
            return .descriptors
        }
        connection.it.carrier = carrier
        if !connection.it.channel.it.isConnecting {
            if let tls = pool.it.tls() {
                guard shakeHands(connection, tls) else {
                    closeUpstream(connection)
                    return .upstreamTLS
                }
            } else {
                connection.it.phase = .multiplexing
            }
        }
        return open(exchange, on: connection)
    }

    private mutating func open(
        _ exchange: Slot<Exchange>, on connection: Slot<UpstreamConnection>
    ) -> RefusalCode? {
        guard let carrier = connection.it.carrier, let channel = loop.openStream(owner: 0)
        else { return .descriptors }
        var record = UpstreamConnection(
            channel: channel, pool: connection.it.pool, phase: .connecting,
            scanner: HeadScanner(), since: loop.now)
        record.carrier = carrier
        record.stream = StreamState()
        record.isReused = connection.it.phase == .multiplexing && carrier.it.streamCount == 0
        guard let upstream = upstreams.take(record) else {
            loop.drop(channel)
            return .descriptors
        }
        channel.it.owner = RecordKind.tag(upstream, .upstream)
        upstream.it.next = carrier.it.firstUpstream
        carrier.it.firstUpstream?.it.previous = upstream
        carrier.it.firstUpstream = upstream
        carrier.it.streamCount += 1
        upstream.it.exchange = exchange
        exchange.it.upstream = upstream
        if connection.it.phase == .multiplexing, !mustAwaitSettings(exchange, on: carrier) {
            transmit(exchange, on: upstream)
        } else {
            setTimer(upstream, after: exchange.it.service.it.rules.connect)
        }
        return nil
    }

    /// Only a replica's settings tell whether it knows extended CONNECT (RFC 8441 3).
    private func mustAwaitSettings(
        _ exchange: Slot<Exchange>, on carrier: Slot<Carrier>
    ) -> Bool {
        guard exchange.it.wantsUpgrade, !carrier.it.session.hasPeerSettings else { return false }
        carrier.it.hasAwaitingSettings = true
        return true
    }

    /// The replica has said what it knows and allows: upgrades that waited for it go on.
    mutating func settingsCame(_ carrier: Slot<Carrier>) {
        carrier.it.hasAwaitingSettings = false
        transmitWaiting(on: carrier)
    }

    /// A connection under way has been made, or not: those who wait for it go on.
    mutating func carrierConnected(
        _ connection: Slot<UpstreamConnection>, failed: RefusalCode?
    ) {
        guard let carrier = connection.it.carrier else { return }
        if let failed {
            carrier.it.isEnding = true
            endWaiting(carrier, failed)
            return closeUpstream(connection)
        }
        loop.connected(connection.it.channel)
        connection.it.phase = .multiplexing
        list(carrier)
        transmitWaiting(on: carrier)
        watch(carrier)
        // What came with the end of a handshake is yet to be looked at.
        if connection.it.channel.it.isReadable { resumeLater(connection) }
    }

    private mutating func transmitWaiting(on carrier: Slot<Carrier>) {
        var next = carrier.it.firstUpstream
        while let upstream = next {
            next = upstream.it.next
            guard let exchange = upstream.it.exchange, upstream.it.phase == .connecting,
                !mustAwaitSettings(exchange, on: carrier)
            else { continue }
            noteConnected(upstream, exchange)
            transmit(exchange, on: upstream)
        }
    }

    /// Requests on a connection that never came about.
    private mutating func endWaiting(_ carrier: Slot<Carrier>, _ code: RefusalCode) {
        while let upstream = carrier.it.firstUpstream {
            if let exchange = upstream.it.exchange { tryFailed(exchange, code) }
            // Whatever became of its exchange, it leaves the list.
            closeUpstream(upstream)
        }
    }

    mutating func carrierEvent(_ connection: Slot<UpstreamConnection>, hasDrained: Bool) {
        guard let carrier = connection.it.carrier else { return }
        if hasDrained { list(carrier) }
        if connection.it.channel.it.isReadable { readUpstream(connection) }
    }

    // MARK: Sending

    mutating func transmitOnStream(
        _ exchange: Slot<Exchange>, on upstream: Slot<UpstreamConnection>
    ) {
        guard let carrier = upstream.it.carrier else { return }
        let replay = exchange.it.replay.bytes
        let hasBody = replay.count > exchange.it.headCount
        let lines = headOfTry(exchange, replay)
        // What asks for a tunnel stays open: its end would be the tunnel's.
        let isWhole = exchange.it.isRequestDone && !exchange.it.wantsUpgrade
        let endsStream = isWhole && !hasBody && exchange.it.requestTrailers.isEmpty
        do {
            upstream.it.stream?.handle = try carrier.it.session.request(
                lines.span, owner: upstream.address, ends: endsStream)
        } catch {
            return refuseLater(upstream, error)
        }
        upstream.it.stream?.isComplete = endsStream
        list(carrier)
        if hasBody { sendBody(replay.dropping(exchange.it.headCount), to: upstream) }
        if isWhole, !endsStream {
            completeStream(upstream, trailers: exchange.it.requestTrailers.bytes)
        }
    }

    /// The request's head with the lines that belong to this try, where there are any.
    private mutating func headOfTry(_ exchange: Slot<Exchange>, _ replay: Bytes) -> Bytes {
        let offset = exchange.it.insertOffset
        let count = exchange.it.headCount
        if offset == 0 { return replay.slice(from: 0, count: count) }
        head.removeAll()
        head.append(replay.slice(from: 0, count: offset).span)
        appendPerTry(exchange)
        head.append(replay.slice(from: offset, count: count - offset).span)
        return composed
    }

    /// The payload is complete, whether its stream is open yet or not.
    mutating func endPayload(_ exchange: Slot<Exchange>, trailers: Bytes) {
        exchange.it.requestTrailers.append(trailers)
        guard let upstream = exchange.it.upstream, exchange.it.isTransmitted else { return }
        if exchange.it.chunksPayload { return endChunks(trailers, on: upstream) }
        completeStream(upstream, trailers: trailers)
    }

    /// A part of a request's body goes to the replica.
    mutating func sendBody(_ bytes: Bytes, to upstream: Slot<UpstreamConnection>) {
        guard let stream = upstream.it.stream else {
            return loop.send(upstream.it.channel, bytes)
        }
        guard let carrier = upstream.it.carrier, let handle = stream.handle, !stream.isComplete,
            !bytes.isEmpty
        else { return }
        upstream.it.channel.it.isBlocked = !send(bytes, ends: false, on: handle, of: carrier)
    }

    /// The request is complete: its end follows what is still to be sent.
    mutating func completeStream(
        _ upstream: Slot<UpstreamConnection>, trailers: Bytes = .empty
    ) {
        guard let stream = upstream.it.stream, let carrier = upstream.it.carrier,
            let handle = stream.handle, !stream.isComplete
        else { return }
        upstream.it.stream?.isComplete = true
        finish(handle, trailers: trailers, on: carrier)
    }

    // MARK: Receiving

    /// Another turn of a connection, or of a stream whose client has caught up.
    mutating func readCarried(_ upstream: Slot<UpstreamConnection>) {
        if upstream.it.isStream { return resumeStream(upstream) }
        guard let carrier = upstream.it.carrier else { return }
        let channel = upstream.it.channel
        let before = eventCount
        var turns = 0
        while channel.it.isReadable, !channel.it.isClosed {
            if turns == Limits.readsPerTurn || eventCount &- before >= Limits.eventsPerTurn {
                return resumeLater(upstream)
            }
            turns += 1
            switch loop.receive(channel, atMost: Limits.firstReadBytes) {
            case .bytes(let count):
                if !receive(loop.received(count), on: carrier) { return }
            case .wouldBlock: return
            case .ended, .failed: return closeUpstream(upstream)
            }
        }
    }

    mutating func take(_ event: HTTP2Event, of bytes: Bytes, on carrier: Slot<Carrier>) {
        guard let upstream = Slot<UpstreamConnection>(address: event.stream.owner) else { return }
        upstream.it.since = loop.now
        if event.endsStream { upstream.it.stream?.hasEnded = true }
        // Its answer was whole with the head: this is the end, or nothing that is wanted.
        guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
        switch event.kind {
        case .interim, .head: takeAnswerHead(event, from: upstream, exchange)
        case .headTooLarge: refuseAnswer(exchange)
        case .data: takeAnswerData(bytes.slice(event.slice), from: upstream, exchange)
        case .trailers:
            if let lines = readTrailers(event) {
                upstream.it.stream?.received.append(lines)
                noteGRPCStatus(exchange, in: headBytes(of: event))
            }
            endAnswerIfDone(upstream)
        case .end: endAnswerIfDone(upstream)
        }
    }

    private mutating func takeAnswerHead(
        _ event: HTTP2Event, from upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        var exchange = exchange
        let bytes = headBytes(of: event)
        do {
            let parsed = try answerParser.parse(
                bytes.span, fields: &fields, requestMethod: exchange.it.method)
            guard var answer = parsed, exchange.it.phase == .awaitingAnswer else {
                return refuseAnswer(exchange)
            }
            // A head that is all of the answer stays one where the client's stream can say so:
            // gRPC's clients take any other for the beginning of messages (Trailers-Only).
            if event.endsStream, exchange.it.client.it.isStream, answer.framing == .untilClose {
                answer.framing = .none
            }
            if answer.isUpgrade {
                guard exchange.it.wantsUpgrade else { return refuseAnswer(exchange) }
                beginTunnel(answer, in: bytes, exchange)
            } else if event.kind == .interim {
                if event.endsStream { return refuseAnswer(exchange) }
                if !forwardInformational(answer, in: bytes, exchange) { refuseAnswer(exchange) }
                return
            } else {
                if yields(exchange, answer, in: bytes, isWhole: event.endsStream) { return }
                if event.endsStream, repeatsTurnedAway(exchange, in: bytes) { return }
                if mayHaveHedge(exchange) { exchange = settle(exchange) }
                guard beginAnswer(answer, in: bytes, from: upstream, exchange) else {
                    return refuseAnswer(exchange)
                }
            }
            if event.endsStream {
                endAnswerIfDone(upstream)
            } else if exchange.it.answerDecoder.isDone {
                endAtHead(exchange, upstream)
            }
        } catch {
            refuseAnswer(exchange)
        }
    }

    private mutating func takeAnswerData(
        _ data: Bytes, from upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        guard exchange.it.phase == .answering else { return refuseAnswer(exchange) }
        let client = exchange.it.client
        if client.it.channel.it.isCongested || !upstream.it.stash.isEmpty {
            upstream.it.stash.append(data)
        } else {
            pass(data, from: upstream, exchange)
        }
        endAnswerIfDone(upstream)
    }

    private mutating func pass(
        _ data: Bytes, from upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        sendPayload(data, of: exchange)
        upstream.it.stream?.handle?.consume(data.count)
        if let carrier = upstream.it.carrier { list(carrier) }
    }

    private mutating func resumeStream(_ upstream: Slot<UpstreamConnection>) {
        guard let exchange = upstream.it.exchange, exchange.it.phase == .answering else { return }
        let client = exchange.it.client
        if !upstream.it.stash.isEmpty {
            if client.it.channel.it.isCongested { return }
            pass(upstream.it.stash.bytes, from: upstream, exchange)
            upstream.it.stash.free()
        }
        endAnswerIfDone(upstream)
    }

    private mutating func endAnswerIfDone(_ upstream: Slot<UpstreamConnection>) {
        guard let exchange = upstream.it.exchange, upstream.it.stream?.hasEnded == true,
            upstream.it.stash.isEmpty
        else { return }
        guard exchange.it.phase == .answering else { return refuseAnswer(exchange) }
        let trailers = upstream.it.stream?.received.bytes ?? .empty
        endAnswer(exchange, trailers: trailers)
        finishAnswer(exchange, upstream, mayReuse: true)
    }

    /// The replica has given the stream up, or broke the rules on it; the connection goes on.
    mutating func streamWasReset(
        _ upstream: Slot<UpstreamConnection>, _ code: HTTP2ErrorCode
    ) {
        upstream.it.stream?.isComplete = true
        guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
        let isAnswering = exchange.it.phase == .answering
        // A replica that has answered need not read on (RFC 9113 8.1).
        if upstream.it.stream?.hasEnded == true, isAnswering { return }
        if upstream.it.stream?.handle?.brokeRules == true { return refuseAnswer(exchange) }
        if isAnswering { return upstreamEnded(upstream, exchange, wasReset: true) }
        tryFailed(exchange, .reset, reach: code.isUnprocessed ? .unprocessed : .processed)
    }

    /// The session would not have the request; told after the caller is done with the exchange.
    private mutating func refuseLater(
        _ upstream: Slot<UpstreamConnection>, _ fault: HTTP2HeadFault
    ) {
        upstream.it.stream?.refusal = fault
        upstream.it.stream?.isComplete = true
        loop.setTimer(upstream.it.channel, at: loop.now + 1)
    }

    /// Nothing of the request has left, and the replica has done nothing wrong.
    mutating func wasRefused(
        _ upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>, _ fault: HTTP2HeadFault
    ) {
        if case .streamOver = fault { return streamWasReset(upstream, .refusedStream) }
        // Nor would another.
        endTry(exchange, outcome: .cancelled)
        fail(exchange, fault == .cannotUpgrade ? .cannotUpgrade : .malformedRequest)
    }
}
