// From a parsed head to an exchange under way: which service it is for, whether it may come in, and
// its body on the way to the replica.

import Balancing
import HTTPWire
import Reactor
import Traffic

extension Worker {
    // MARK: Heads

    /// - Returns: how many of the bytes are done with; 0 while a body is searched for its model.
    mutating func receive(
        _ request: RequestHead, in bytes: Bytes, from client: Slot<ClientConnection>
    ) -> Int {
        guard let path = normalise(request, in: bytes) else {
            refuse(client, .malformedRequest)
            return bytes.count
        }
        let found = snapshot.it.routes.match(
            path: path.span, host: host(of: request, in: bytes).span, head: bytes.span,
            fields: fields,
            mayCarryModel: request.contentTypeIsJSON && request.method == .post
                && !request.framing.isEmpty)
        switch found {
        case .route(let service, let strip):
            let route = Route(service: service, strip: strip)
            begin(request, in: bytes, path: path, route, client, started: loop.now)
            return request.byteCount
        case .needsModel:
            return beginSearch(request, in: bytes, from: client)
        case .none:
            return refuseAtHead(client, .noRoute, request, bytes)
        }
    }

    /// Where a request goes.
    struct Route {
        let service: Int32
        let strip: Int32
    }

    /// The path with its dot segments resolved; nil if there is no safe reading of it.
    private mutating func normalise(_ request: RequestHead, in bytes: Bytes) -> Bytes? {
        let sent = bytes.slice(request.path)
        path.removeAll()
        var result: Bytes? = sent
        unsafe path.appendRaw { room in
            var output = unsafe room.mutableBytes
            switch PathNormaliser.normalise(sent.span, into: &output) {
            case .unchanged: return 0
            case .rewritten(let count): return count
            case .refused:
                result = nil
                return 0
            }
        }
        if path.count > 0 { return unsafe path.withBytes { unsafe Bytes($0) } }
        return result
    }

    func host(of request: RequestHead, in bytes: Bytes) -> Bytes { bytes.slice(request.host) }

    // MARK: The model in the body

    private mutating func beginSearch(
        _ request: RequestHead, in bytes: Bytes, from client: Slot<ClientConnection>
    ) -> Int {
        let record = ModelSearch(
            scanner: JSONModelScanner(bytesMax: Limits.modelSearchBytes),
            decoder: BodyDecoder(
                framing: client.it.isStream ? .untilClose : request.framing, keepsFraming: false),
            offset: request.byteCount, started: loop.now)
        guard let search = searches.take(record) else {
            return refuseAtHead(client, .overloaded, request, bytes)
        }
        client.it.search = search
        client.it.phase = .searchingModel
        client.it.since = loop.now
        setTimer(client, after: gateway.requestIdle)
        if request.expectsContinue {
            // The body decides where the request goes, so the gateway itself asks for it.
            client.it.sentContinue = true
            head.removeAll()
            head.append("HTTP/1.1 100 Continue\r\n\r\n")
            sendHead(to: client, isFinal: false)
        }
        return searchModel(bytes, from: client)
    }

    /// `bytes` begin with the request's head, every time.
    mutating func searchModel(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        guard let search = client.it.search else { return 0 }
        var offset = search.it.offset
        do {
            var answer = JSONModelScanner.Answer.needMore
            scan: while answer == .needMore {
                switch try search.it.decoder.next(bytes.span, from: &offset, fields: &fields) {
                case .needMore:
                    guard client.it.stream?.hasEnded == true else { break scan }
                    answer = search.it.scanner.finish()
                case .data(let slice): answer = search.it.scanner.feed(bytes.slice(slice).span)
                case .end: answer = search.it.scanner.finish()
                case .framed, .chunkHeader: break
                }
            }
            let used = offset - search.it.offset
            search.it.offset = offset
            client.it.since = loop.now
            switch answer {
            case .needMore:
                if search.it.pace.isDripping(after: used, now: loop.now) {
                    refuse(client, .requestTimeout)
                    return bytes.count
                }
                return 0
            case .found: return endSearch(search, bytes, client)
            case .absent, .malformed:
                search.it.scanner = JSONModelScanner(bytesMax: 0)
                return endSearch(search, bytes, client, isReadable: answer == .absent)
            }
        } catch {
            refuse(client, error)
            return bytes.count
        }
    }

    private mutating func endSearch(
        _ search: Slot<ModelSearch>, _ bytes: Bytes, _ client: Slot<ClientConnection>,
        isReadable: Bool = true
    ) -> Int {
        let scanner = search.it.scanner
        let started = search.it.started
        searches.give(search)
        client.it.search = nil
        client.it.phase = .awaitingHead
        do {
            // Parsed again: the table has served others meanwhile.
            guard let request = try requestParser.parse(bytes.span, fields: &fields),
                let path = normalise(request, in: bytes)
            else { return bytes.count }
            let routes = snapshot.it.routes
            let host = host(of: request, in: bytes)
            let found = scanner.withModel { model in
                routes.match(
                    path: path.span, host: host.span, head: bytes.span, fields: fields,
                    model: model)
            }
            guard case .route(let service, let strip) = found else {
                let code: RefusalCode = isReadable ? .noRoute : .modelUnreadable
                return refuseAtHead(client, code, request, bytes)
            }
            let route = Route(service: service, strip: strip)
            begin(request, in: bytes, path: path, route, client, started: started)
            return request.byteCount
        } catch {
            refuse(client, error)
            return bytes.count
        }
    }

    // MARK: Beginning

    private mutating func begin(
        _ request: RequestHead, in bytes: Bytes, path: Bytes, _ route: Route,
        _ client: Slot<ClientConnection>, started: Int64
    ) {
        if case .length(let count) = request.framing, count > gateway.requestBodyBytes {
            _ = refuseAtHead(client, .bodyTooLarge, request, bytes)
            return
        }
        let service = snapshot.it.services[Int(route.service)]
        let mayUpgrade = mayUpgrade(request, in: bytes, service)
        // An upgrade may be left out; an extended CONNECT is nothing without its protocol.
        if !mayUpgrade, client.it.stream?.handle?.isExtendedConnect == true {
            _ = refuseAtHead(client, .protocolNotAllowed, request, bytes)
            return
        }
        let record = Exchange(
            client: client, snapshot: snapshot, service: service, method: request.method,
            minorVersion: request.minorVersion,
            keepsAlive: client.it.isStream
                || request.keepsAlive && !isDraining && !client.it.closesAfter,
            started: started, replay: spareBuffers.popLast() ?? HeapBytes(),
            requestDecoder: BodyDecoder(framing: request.framing, keepsFraming: true))
        guard let exchange = exchanges.take(record) else {
            _ = refuseAtHead(client, .overloaded, request, bytes)
            return
        }
        exchange.it.routedAt = loop.now
        client.it.exchange = exchange
        client.it.phase = .exchanging
        client.it.since = loop.now
        snapshot.it.users += 1
        meters.openRequests.increment()
        exchange.it.isRequestChunked = request.framing == .chunked
        // What follows a request for a tunnel belongs to the tunnel, if there will be one.
        exchange.it.isRequestDone =
            mayUpgrade || (client.it.stream?.hasEnded ?? true) && request.framing.isEmpty
        limitStall(of: client, service.it.rules.responseIdle)
        if log.isOn { keepForLog(exchange, request, bytes) }
        exchange.it.isGRPC = request.contentTypeIsGRPC && client.it.isStream
        exchange.it.wantsUpgrade = mayUpgrade
        exchange.it.awaitsContinue = request.expectsContinue && !client.it.sentContinue
        chooseShare(exchange, request, bytes)
        if speaksHTTP2(exchange) {
            exchange.it.keepsPayload = true
            exchange.it.requestDecoder = BodyDecoder(framing: request.framing, keepsFraming: false)
        }
        noteDeadline(exchange, request, bytes)
        guard compose(request, in: bytes, path: path, strip: Int(route.strip), exchange) else {
            return fail(exchange, .malformedRequest)
        }
        service.it.rules.budget.recordRequest(now: loop.now)
        exchangeTimer(exchange)
        if exchange.it.phase == .over { return }
        dispatch(exchange)
        if !exchange.it.isRequestDone, client.it.phase == .exchanging {
            setTimer(client, after: service.it.rules.requestIdle)
        }
    }

    private func keepForLog(_ exchange: Slot<Exchange>, _ request: RequestHead, _ bytes: Bytes) {
        exchange.it.logText.append(bytes.slice(request.methodText))
        exchange.it.logMethodCount = exchange.it.logText.count
        exchange.it.logText.append(bytes.slice(request.target))
    }

    // MARK: Bodies

    /// - Returns: how many bytes were passed on; the rest waits for the replica or for more bytes.
    mutating func takeBody(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        if client.it.isStream { return takePayload(bytes, from: client) }
        guard let exchange = client.it.exchange, !exchange.it.isRequestDone else { return 0 }
        var offset = 0
        do {
            // The end of a counted body has no bytes: it must not wait for more of them.
            while mayForwardBody(exchange) || exchange.it.requestDecoder.isDone {
                let event = try exchange.it.requestDecoder.next(
                    bytes.span, from: &offset, fields: &fields)
                switch event {
                case .needMore:
                    return noteBody(offset, exchange, client)
                case .data(let slice):
                    exchange.it.payloadBytes += UInt64(slice.count)
                    forward(bytes.slice(slice), of: exchange)
                case .framed(let slice, let payload):
                    exchange.it.payloadBytes += UInt64(payload)
                    forward(bytes.slice(slice), of: exchange)
                case .chunkHeader(let size):
                    head.removeAll()
                    head.appendHex(size)
                    head.appendCRLF()
                    forward(composed, of: exchange)
                case .end(let hasTrailers):
                    endBody(exchange, bytes, hasTrailers: hasTrailers)
                    return noteBody(offset, exchange, client)
                }
                if exchange.it.payloadBytes > gateway.requestBodyBytes, !exchange.it.isTunnel {
                    fail(exchange, .bodyTooLarge)
                    return bytes.count
                }
                if exchange.it.phase == .over { return offset }
            }
        } catch {
            failMalformed(exchange, error)
            return bytes.count
        }
        return noteBody(offset, exchange, client)
    }

    func mayForwardBody(_ exchange: Slot<Exchange>) -> Bool {
        if exchange.it.isTransmitted {
            guard let upstream = exchange.it.upstream else { return false }
            return !upstream.it.channel.it.isCongested
        }
        return exchange.it.replay.count - exchange.it.headCount < gateway.replayBytes
    }

    mutating func noteBody(
        _ used: Int, _ exchange: Slot<Exchange>, _ client: Slot<ClientConnection>
    ) -> Int {
        if exchange.it.phase == .over { return used }
        client.it.since = loop.now
        exchange.it.sentAt = loop.now
        if used > 0 { exchange.it.awaitsContinue = false }
        // Who is answered already talks with the replica, each at its own pace. So do streams of
        // gRPC, whose messages come when there is something to say.
        if exchange.it.phase == .answering || exchange.it.isGRPC { return used }
        let isDripping = exchange.it.pace.isDripping(after: used, now: loop.now)
        if isDripping, !exchange.it.isRequestDone { fail(exchange, .requestTimeout) }
        return used
    }

    private mutating func endBody(
        _ exchange: Slot<Exchange>, _ bytes: Bytes, hasTrailers: Bool
    ) {
        if exchange.it.keepsPayload {
            head.removeAll()
            if hasTrailers { HeadWriter.copyFields(fields, of: bytes.span, into: &head) }
            endPayload(exchange, trailers: composed)
        } else if exchange.it.isRequestChunked {
            head.removeAll()
            head.append("0\r\n")
            if hasTrailers { HeadWriter.copyFields(fields, of: bytes.span, into: &head) }
            head.appendCRLF()
            forward(composed, of: exchange)
        }
        noteRequestDone(exchange)
    }

    mutating func noteRequestDone(_ exchange: Slot<Exchange>) {
        exchange.it.isRequestDone = true
        if exchange.it.phase == .awaitingAnswer, let upstream = exchange.it.upstream {
            setTimer(upstream, after: exchange.it.service.it.rules.firstByte)
            if exchange.it.service.it.rules.hedge != nil { planHedge(exchange) }
        }
    }

    /// Sends a part of the body on, and keeps it as long as the whole can, and may, be sent again.
    mutating func forward(_ bytes: Bytes, of exchange: Slot<Exchange>) {
        exchange.it.bytesReceived += UInt64(bytes.count)
        let isTransmitted = exchange.it.isTransmitted
        if exchange.it.isReplayable {
            let kept = exchange.it.replay.count - exchange.it.headCount
            // A refused stream of HTTP/2 may be tried elsewhere, whatever the method.
            let mayReturn = mayRepeat(exchange) || exchange.it.upstream?.it.isStream == true
            if !isTransmitted || mayReturn && kept + bytes.count <= gateway.replayBytes {
                exchange.it.replay.append(bytes)
            } else {
                exchange.it.isReplayable = false
            }
        }
        if isTransmitted, let upstream = exchange.it.upstream {
            if exchange.it.chunksPayload { return sendChunk(bytes, on: upstream) }
            sendBody(bytes, to: upstream)
        }
    }
}

extension BodyFraming {
    var isEmpty: Bool { self == .none || self == .length(0) }
}

extension Bytes {
    func slice(_ slice: Slice) -> Bytes { self.slice(from: slice.start, count: Int(slice.count)) }
}
