// How exchanges end: answered, refused, cut off or given up. Every path leads through `conclude`,
// which gives back what the exchange holds, once.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// The answer is complete.
    mutating func finish(_ exchange: Slot<Exchange>, outcome: Outcome) {
        let client = exchange.it.client
        let keepsAlive = exchange.it.keepsAlive && exchange.it.isRequestDone
        // A client that asked for the end does not send more; one that did not may be doing it.
        let mustLinger =
            !exchange.it.isRequestDone || isDraining || exchange.it.answersUntilClose
        conclude(exchange, outcome: outcome)
        if client.it.isStream {
            if !client.it.channel.it.isClosed { completeStream(client) }
            return
        }
        if keepsAlive { next(client) } else { closeAfterAnswer(client, mustLinger: mustLinger) }
    }

    /// Makes the client's connection ready for its next request.
    private mutating func next(_ client: Slot<ClientConnection>) {
        client.it.phase = .awaitingHead
        client.it.since = loop.now
        // A client that lags has a timer already, and it is due sooner.
        if !client.it.channel.it.isCongested { setTimer(client, after: gateway.keepAlive) }
        if !client.it.stash.isEmpty || client.it.channel.it.isReadable { resumeLater(client) }
    }

    /// The exchange cannot be served. The gateway answers itself, unless the answer has begun.
    mutating func fail(_ exchange: Slot<Exchange>, _ code: RefusalCode) {
        if exchange.it.phase == .answering { return cutAnswer(exchange, code) }
        guard exchange.it.phase != .over else { return }
        if exchange.it.isHedge { return dropHedge(exchange, outcome: code.outcome, error: code) }
        endTry(exchange, outcome: code.isReplicasFault ? code.outcome : .cancelled, error: code)
        refuse(exchange, code, malformed: nil)
    }

    /// The request body turned out to be malformed.
    mutating func failMalformed(_ exchange: Slot<Exchange>, _ error: WireError) {
        if exchange.it.phase == .answering { return cutAnswer(exchange, .malformedRequest) }
        endTry(exchange, outcome: .cancelled)
        refuse(exchange, .malformedRequest, malformed: error)
    }

    /// The answer breaks off. The client must see it: a missing last chunk or too few bytes, or,
    /// where only the end of the connection ends the body, a reset.
    mutating func cutAnswer(
        _ exchange: Slot<Exchange>, _ code: RefusalCode, blamesReplica: Bool = true
    ) {
        let client = exchange.it.client
        let isItsFault = blamesReplica && code.isReplicasFault
        exchange.it.error = code
        endTry(exchange, outcome: isItsFault ? code.outcome : .cancelled, error: code)
        let mustReset = exchange.it.answersUntilClose
        conclude(exchange, outcome: code.outcome)
        meters.refusal(code).increment()
        if mustReset { resetClient(client) } else { closeClient(client) }
    }

    /// The client has gone; the replica need not go on.
    mutating func cancel(_ exchange: Slot<Exchange>) {
        if exchange.it.isTunnel {
            // Either side may end a tunnel.
            endTry(exchange, outcome: .success)
            return conclude(exchange, outcome: .success)
        }
        exchange.it.error = .clientGone
        if exchange.it.phase != .answering { exchange.it.status = RefusalCode.clientGone.status }
        endTry(exchange, outcome: .cancelled)
        conclude(exchange, outcome: .cancelled)
    }

    /// Counts and logs the request, and lets go of everything but the client.
    mutating func conclude(_ exchange: Slot<Exchange>, outcome: Outcome) {
        guard exchange.it.phase != .over else { return }
        if exchange.it.phase == .held { leaveQueue(exchange) }
        if let hedge = exchange.it.partner { dropHedge(hedge, outcome: .cancelled) }
        exchange.it.phase = .over
        loop.timers.cancel(&exchange.it.timer)
        record(exchange, outcome: outcome)
        if log.isOn { writeLog(exchange, outcome: outcome) }
        exchange.it.client.it.exchange = nil
        meters.openRequests.decrement()
        release(exchange.it.snapshot)
        deadExchanges.append(exchange)
    }

    private mutating func record(_ exchange: Slot<Exchange>, outcome: Outcome) {
        let service = exchange.it.service
        let revision = Int(exchange.it.revision)
        let meter =
            revision >= 0 ? service.it.revisions[revision].it.meter : service.it.meter
        let status = exchange.it.status == 499 ? 0 : Int(exchange.it.status)
        meter.record(outcome: outcome, status: status)
        if exchange.it.isGRPC {
            meter.recordGRPC(
                status: Int(grpcStatus(of: exchange).rawValue),
                nanoseconds: loop.now - exchange.it.started)
        }
        meter.addBytes(received: exchange.it.bytesReceived, sent: exchange.it.bytesSent)
        if let events = exchange.it.events {
            meter.addTokens(
                events: events.events, prompt: events.promptTokens,
                completion: events.completionTokens)
        }
        if outcome != .cancelled { meter.recordTotal(loop.now - exchange.it.started) }
        if exchange.it.firstByteAt > 0 {
            meter.recordFirstByte(exchange.it.firstByteAt - exchange.it.started)
        }
        if exchange.it.connectNanoseconds >= 0 {
            meter.recordConnect(exchange.it.connectNanoseconds)
        }
    }

    /// A part of a token stream passes: how long its tokens took.
    mutating func noteTokens(_ data: Bytes, of exchange: Slot<Exchange>) {
        guard let count = exchange.it.events?.feed(data.span), count > 0 else { return }
        let meter = exchange.it.service.it.revisions[Int(exchange.it.revision)].it.meter
        if exchange.it.lastTokenAt == 0 {
            meter.recordFirstToken(loop.now - exchange.it.started)
        } else {
            // Those that came together share the time they took.
            let pause = (loop.now - exchange.it.lastTokenAt) / Int64(count)
            for _ in 0..<count { meter.recordBetweenTokens(pause) }
        }
        exchange.it.lastTokenAt = loop.now
    }

    // MARK: The access log

    private mutating func writeLog(_ exchange: Slot<Exchange>, outcome: Outcome) {
        guard log.isWanted(status: exchange.it.status, draw: &random) else { return }
        let text = exchange.it.logText.bytes
        var record = AccessLogRecord()
        record.wallMilliseconds = wall
        record.method = text.slice(from: 0, count: exchange.it.logMethodCount)
        record.path = text.dropping(exchange.it.logMethodCount)
        record.status = exchange.it.status
        record.service = exchange.it.service.it.name
        if exchange.it.revision >= 0 {
            record.revision =
                exchange.it.service.it.revisions[Int(exchange.it.revision)].it.name
            if exchange.it.endpoint >= 0 { record.endpoint = endpoint(of: exchange).it.text }
        }
        record.client = exchange.it.client.it.peer
        record.requestID = exchange.it.replay.bytes.slice(exchange.it.requestID)
        record.bytesIn = exchange.it.bytesReceived
        record.bytesOut = exchange.it.bytesSent
        record.durationNanoseconds = loop.now - exchange.it.started
        if exchange.it.firstByteAt > 0 {
            record.firstByteNanoseconds = exchange.it.firstByteAt - exchange.it.started
        }
        record.connectNanoseconds = exchange.it.connectNanoseconds
        record.retries = exchange.it.attempts > 0 ? exchange.it.attempts - 1 : 0
        record.outcome = outcome
        if exchange.it.isGRPC { record.grpcStatus = Bytes(grpcStatus(of: exchange).name) }
        record.error = Bytes(exchange.it.error.code)
        log.write(record)
    }

    /// A request that was refused before it had an exchange.
    mutating func logRefusal(
        _ client: Slot<ClientConnection>, _ code: RefusalCode, status: UInt16, method: Bytes,
        target: Bytes
    ) {
        guard log.isOn, log.isWanted(status: status, draw: &random) else { return }
        var record = AccessLogRecord()
        record.wallMilliseconds = wall
        record.method = method
        record.path = target
        record.status = status
        record.client = client.it.peer
        record.outcome = code.outcome
        record.error = Bytes(code.code)
        log.write(record)
    }
}

extension RefusalCode {
    /// Whether the endpoint that was tried is to blame.
    package var isReplicasFault: Bool {
        outcome == .transport || self == .firstByteTimeout
            || self == .connectTimeout || self == .streamTimeout
    }
}
