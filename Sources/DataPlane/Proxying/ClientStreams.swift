// Requests that come as HTTP/2 streams: each gets a client of its own, whose head and body take the
// way of any other from there on.

import HTTPWire
import Reactor

extension Worker {
    // MARK: Connections

    /// The first bytes of a connection are HTTP/2's.
    ///
    /// - Returns: false when there is no room for another such connection.
    mutating func beginMultiplexing(_ client: Slot<ClientConnection>) -> Bool {
        var options = HTTP2Options()
        options.isSecure = client.it.isSecure
        options.headBytes = gateway.wire.headBytes
        options.allowsUpgrades = snapshot.it.plan.allowsUpgrades
        guard
            let carrier = makeCarrier(.client(client), on: client.it.channel, options: options)
        else { return false }
        client.it.carrier = carrier
        client.it.phase = .multiplexing
        client.it.since = loop.now
        Sockets.boundUnsent(client.it.channel.it.descriptor, bytes: Limits.unsentBytes)
        // Until now it was a connection on which nothing had been said.
        loop.setTimer(client.it.channel, at: 0)
        watch(carrier)
        return true
    }

    mutating func takeFrames(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        guard let carrier = client.it.carrier else { return bytes.count }
        client.it.since = loop.now
        _ = receive(bytes, on: carrier)
        return bytes.count
    }

    mutating func carrierEvent(_ client: Slot<ClientConnection>, hasDrained: Bool) {
        guard let carrier = client.it.carrier else { return }
        if hasDrained {
            client.it.since = loop.now
            list(carrier)
        }
        if client.it.channel.it.isReadable { readClient(client) }
    }

    // MARK: Events

    mutating func take(
        _ event: HTTP2Event, of bytes: Bytes, on carrier: Slot<Carrier>,
        from connection: Slot<ClientConnection>
    ) {
        switch event.kind {
        case .head, .headTooLarge: openStream(event, on: carrier, from: connection)
        case .interim: break
        case .data, .trailers, .end:
            guard let client = Slot<ClientConnection>(address: event.stream.owner) else { return }
            if event.endsStream { client.it.stream?.hasEnded = true }
            if event.kind == .trailers { keepReceivedTrailers(event, of: client) }
            let data = event.kind == .data ? bytes.slice(event.slice) : .empty
            takeRequestData(data, from: client)
        }
    }

    private mutating func openStream(
        _ event: HTTP2Event, on carrier: Slot<Carrier>, from connection: Slot<ClientConnection>
    ) {
        guard let channel = loop.openStream(owner: 0) else {
            return event.stream.reset(.refusedStream)
        }
        var record = ClientConnection(
            channel: channel, phase: .awaitingHead, isCounted: false, peer: connection.it.peer,
            scanner: HeadScanner(headBytes: gateway.wire.headBytes), since: loop.now)
        record.isTrusted = connection.it.isTrusted
        record.isSecure = connection.it.isSecure
        record.hasCertificate = connection.it.hasCertificate
        record.carrier = carrier
        record.stream = StreamState(handle: event.stream, hasEnded: event.endsStream)
        guard let client = clients.take(record) else {
            loop.drop(channel)
            return event.stream.reset(.refusedStream)
        }
        channel.it.owner = RecordKind.tag(client, .client)
        event.stream.owner = client.address
        client.it.next = carrier.it.firstClient
        carrier.it.firstClient?.it.previous = client
        carrier.it.firstClient = client
        carrier.it.streamCount += 1
        limitStall(of: client, gateway.responseIdle)
        if event.kind == .headTooLarge { return refuse(client, .headTooLarge) }
        let head = unsafe http2.withHeads { unsafe Bytes($0) }.slice(event.slice)
        client.it.fieldCount = event.fieldCount
        take(head, from: client)
    }

    private mutating func takeRequestData(_ data: Bytes, from client: Slot<ClientConnection>) {
        switch client.it.phase {
        case .exchanging:
            if !data.isEmpty { take(data, from: client) }
            if client.it.stream?.hasEnded == true { endRequest(of: client) }
        case .searchingModel:
            // Room for the search, so that it never waits for a window.
            credit(client, data.count)
            client.it.stream?.credited += data.count
            client.it.stash.append(data)
            resume(client)
        default:
            // Answered already: what still comes is dropped.
            credit(client, data.count)
        }
    }

    // MARK: Bodies

    /// - Returns: how many bytes were passed on; the rest waits for the replica.
    mutating func takePayload(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        // Nobody has agreed to a tunnel: a replica of HTTP/1.1 would read requests in its bytes.
        if let exchange = client.it.exchange, exchange.it.awaitsTunnel { return 0 }
        guard let exchange = client.it.exchange, !exchange.it.isRequestDone else {
            credit(client, bytes.count)
            return bytes.count
        }
        guard mayForwardBody(exchange) else { return 0 }
        exchange.it.payloadBytes += UInt64(bytes.count)
        if exchange.it.payloadBytes > gateway.requestBodyBytes, !exchange.it.isTunnel {
            fail(exchange, .bodyTooLarge)
            return bytes.count
        }
        if exchange.it.isRequestChunked, !exchange.it.keepsPayload {
            head.removeAll()
            head.appendHex(UInt64(bytes.count))
            head.appendCRLF()
            forward(composed, of: exchange)
            forward(bytes, of: exchange)
            forward(Bytes("\r\n"), of: exchange)
        } else {
            forward(bytes, of: exchange)
        }
        credit(client, bytes.count)
        return noteBody(bytes.count, exchange, client)
    }

    /// Tells the client that it may send as many bytes more.
    private mutating func credit(_ client: Slot<ClientConnection>, _ count: Int) {
        guard count > 0, let stream = client.it.stream, let carrier = client.it.carrier else {
            return
        }
        let ahead = min(stream.credited, count)
        client.it.stream?.credited -= ahead
        if count > ahead {
            stream.handle?.consume(count - ahead)
            list(carrier)
        }
    }

    /// The body is complete, and so is the request once all of it has been passed on.
    mutating func endRequest(of client: Slot<ClientConnection>) {
        guard let exchange = client.it.exchange, client.it.stream?.hasEnded == true,
            client.it.stash.isEmpty, !exchange.it.isRequestDone
        else { return }
        if exchange.it.isTunnel {
            exchange.it.hasClientEnded = true
            return endTunnelInput(exchange)
        }
        let trailers = client.it.stream?.received.bytes ?? .empty
        if exchange.it.keepsPayload {
            endPayload(exchange, trailers: trailers)
        } else if exchange.it.isRequestChunked {
            head.removeAll()
            head.append("0\r\n")
            head.append(trailers.span)
            head.appendCRLF()
            forward(composed, of: exchange)
        }
        noteRequestDone(exchange)
    }

    /// Field lines that may be passed on, until the body before them has been.
    private mutating func keepReceivedTrailers(
        _ event: HTTP2Event, of client: Slot<ClientConnection>
    ) {
        guard let lines = readTrailers(event) else { return }
        client.it.stream?.received.append(lines)
    }

    // MARK: Answers

    /// The head just composed goes to the client.
    mutating func sendHead(
        to client: Slot<ClientConnection>, isFinal: Bool, endsStream: Bool = false
    ) {
        sendHead(composed, to: client, isFinal: isFinal, endsStream: endsStream)
    }

    mutating func sendHead(
        _ bytes: Bytes, to client: Slot<ClientConnection>, isFinal: Bool, endsStream: Bool
    ) {
        guard let stream = client.it.stream, let carrier = client.it.carrier else {
            return loop.send(client.it.channel, bytes)
        }
        if stream.isComplete { return }
        do {
            try stream.handle?.respond(bytes.span, ends: endsStream && isFinal)
        } catch {
            // Nothing else can be sent without a head: the stream is reset in the end.
        }
        if !isFinal, let handle = stream.handle {
            // More of them in a batch than may wait are no sign that the client does not read.
            if handle.writable == 0 { sendWaiting(of: carrier) }
            note(client, takesMore: handle.writable > 0)
        }
        list(carrier)
    }

    /// A part of an answer's body goes to the client.
    mutating func sendBody(_ bytes: Bytes, to client: Slot<ClientConnection>) {
        guard let stream = client.it.stream, let carrier = client.it.carrier else {
            return loop.send(client.it.channel, bytes)
        }
        guard let handle = stream.handle, !stream.isComplete, !bytes.isEmpty else { return }
        note(client, takesMore: send(bytes, ends: false, on: handle, of: carrier))
    }

    private mutating func note(_ client: Slot<ClientConnection>, takesMore: Bool) {
        let channel = client.it.channel
        let wasBlocked = channel.it.isBlocked
        channel.it.isBlocked = !takesMore
        if channel.it.isBlocked, !wasBlocked {
            channel.it.stalledAt = loop.now
            let rules = client.it.exchange?.it.service.it.rules
            setTimer(client, after: rules?.responseIdle ?? gateway.responseIdle)
        }
    }

    /// The answer is complete: its end follows what is still to be sent.
    mutating func completeStream(_ client: Slot<ClientConnection>, trailers: Bytes = .empty) {
        guard let stream = client.it.stream, let carrier = client.it.carrier,
            !client.it.channel.it.isClosed
        else { return }
        if let handle = stream.handle, !stream.isComplete {
            client.it.stream?.isComplete = true
            finish(handle, trailers: trailers, on: carrier)
        }
        endStream(client)
    }

    /// The client has given the request up, or broke the rules of the stream.
    mutating func streamWasReset(_ client: Slot<ClientConnection>, _ code: HTTP2ErrorCode) {
        client.it.stream?.isComplete = true
        clientGone(client)
    }

    // MARK: Ends

    mutating func endCarried(_ client: Slot<ClientConnection>) {
        if client.it.isStream { return endStream(client) }
        endCarrier(of: client)
        loop.close(client.it.channel)
        bury(client)
    }

    private mutating func endCarrier(of client: Slot<ClientConnection>) {
        guard let carrier = client.it.carrier else { return }
        while let stream = carrier.it.firstClient {
            stream.it.stream?.isComplete = true
            clientGone(stream)
        }
        client.it.carrier = nil
        bury(carrier)
    }

    /// All is said and nothing more is asked, but the last answers may be on their way yet. Their
    /// client tells of what it takes, and a word that meets a closed connection resets it.
    mutating func lingerOn(_ client: Slot<ClientConnection>) {
        endCarrier(of: client)
        client.it.lastWords = Limits.lastWordsBytes
        linger(client)
    }

    /// Lets go of the stream. Incomplete, it is reset, so that the client sees it.
    private mutating func endStream(_ client: Slot<ClientConnection>) {
        guard let stream = client.it.stream, let carrier = client.it.carrier,
            !client.it.channel.it.isClosed
        else { return }
        if stream.isComplete {
            stream.handle?.release()
        } else {
            // What has come of the answer goes first: a reset would overtake it.
            sendWaiting(of: carrier)
            stream.handle?.reset(.internalError)
        }
        client.it.stream?.received.free()
        if let search = client.it.search { searches.give(search) }
        client.it.search = nil
        client.it.stash.free()
        client.it.next?.it.previous = client.it.previous
        if let previous = client.it.previous {
            previous.it.next = client.it.next
        } else {
            carrier.it.firstClient = client.it.next
        }
        carrier.it.streamCount -= 1
        carrier.it.since = loop.now
        loop.drop(client.it.channel)
        client.it.isBuried = true
        deadClients.append(client)
        list(carrier)
    }
}
