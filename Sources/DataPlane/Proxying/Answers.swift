// What replicas answer, on its way to the client: heads parsed strictly and composed anew, bodies
// passed on as they come, and an answer that breaks off left visibly incomplete.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    mutating func readUpstream(_ upstream: Slot<UpstreamConnection>) {
        if upstream.it.isCarried { return readCarried(upstream) }
        let channel = upstream.it.channel
        var turns = 0
        var size = firstReadSize
        while channel.it.isReadable, !channel.it.isClosed {
            guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
            let client = exchange.it.client
            // Until it has caught up; its timer looks after it meanwhile.
            if client.it.channel.it.isCongested { return }
            if turns == Limits.readsPerTurn { return resumeLater(upstream) }
            turns += 1
            switch loop.receive(channel, atMost: size) {
            case .bytes(let count):
                take(loop.received(count), from: upstream, exchange)
                if count == size, channel.it.isReadable, !channel.it.isClosed {
                    size = readSize(towards: client.it.channel)
                }
            case .wouldBlock: return
            // The kernel tells of a reset once, and a send may have heard it.
            case .ended: return upstreamEnded(upstream, exchange, wasReset: channel.it.isBroken)
            case .failed: return upstreamEnded(upstream, exchange, wasReset: true)
            }
        }
    }

    /// The client has caught up: its replica may go on.
    mutating func resumeAnswer(of client: Slot<ClientConnection>) {
        guard let exchange = client.it.exchange, let upstream = exchange.it.upstream,
            upstream.it.phase == .busy
        else { return }
        // Before the answer, its timer tells how long that may take.
        if exchange.it.phase == .answering {
            upstream.it.since = loop.now
            setTimer(upstream, after: exchange.it.service.it.rules.streamIdle)
        }
        let isWaiting = upstream.it.channel.it.isReadable || upstream.it.isStream
        if isWaiting { resumeLater(upstream) }
    }

    // MARK: Consuming

    private mutating func take(
        _ bytes: Bytes, from upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) {
        upstream.it.since = loop.now
        if upstream.it.stash.isEmpty {
            let used = takeAnswer(bytes, from: upstream, exchange)
            guard upstream.it.exchange != nil, used < bytes.count else { return }
            upstream.it.stash.append(bytes.dropping(used))
        } else {
            upstream.it.stash.append(bytes)
            let used = takeAnswer(upstream.it.stash.bytes, from: upstream, exchange)
            guard upstream.it.exchange != nil else { return }
            upstream.it.stash.consume(used)
            if upstream.it.stash.isEmpty { upstream.it.stash.free() }
        }
    }

    /// - Returns: how many bytes are done with. The exchange may be over then.
    private mutating func takeAnswer(
        _ bytes: Bytes, from upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>
    ) -> Int {
        var exchange = exchange
        do {
            var offset = 0
            while exchange.it.phase == .awaitingAnswer {
                let rest = bytes.dropping(offset)
                guard let answer = try parseAnswer(rest, from: upstream, exchange.it.method)
                else { return offset }
                offset += answer.byteCount
                if answer.isUpgrade {
                    // Where nobody asked for it, the field ended at the gateway.
                    guard exchange.it.wantsUpgrade else { throw WireError.badStatusLine }
                    beginTunnel(answer, in: rest, exchange)
                    continue
                }
                if answer.isInformational {
                    guard forwardInformational(answer, in: rest, exchange) else {
                        throw WireError.headTooLarge
                    }
                    continue
                }
                if yields(exchange, answer, in: rest, isWhole: false) { return bytes.count }
                if mayHaveHedge(exchange) { exchange = settle(exchange) }
                guard beginAnswer(answer, in: rest, from: upstream, exchange) else {
                    throw WireError.headTooLarge
                }
            }
            try takeAnswerBody(bytes, from: &offset, upstream, exchange)
            return offset
        } catch {
            refuseAnswer(exchange)
            return bytes.count
        }
    }

    /// What came cannot be an answer.
    mutating func refuseAnswer(_ exchange: Slot<Exchange>) {
        if exchange.it.phase == .answering { return cutAnswer(exchange, .malformedAnswer) }
        exchange.it.hasAnswer = true
        tryFailed(exchange, .malformedAnswer)
    }

    private mutating func parseAnswer(
        _ bytes: Bytes, from upstream: Slot<UpstreamConnection>, _ method: Method
    ) throws(WireError) -> ResponseHead? {
        if upstream.it.scanned > 0 {
            let verdict = upstream.it.scanner.scan(bytes.span, from: Int(upstream.it.scanned))
            upstream.it.scanned = UInt32(bytes.count)
            if verdict == .incomplete { return nil }
        }
        let answer = try answerParser.parse(bytes.span, fields: &fields, requestMethod: method)
        if answer != nil {
            upstream.it.scanned = 0
        } else if upstream.it.scanned == 0, !bytes.isEmpty {
            upstream.it.scanner.reset()
            _ = upstream.it.scanner.scan(bytes.span, from: 0)
            upstream.it.scanned = UInt32(bytes.count)
        }
        return answer
    }

    /// 1xx, which HTTP/1.0 clients would not understand (RFC 9110 15.2). No window holds them back
    /// in HTTP/2, so those that the client does not take are left out.
    ///
    /// - Returns: false when there is no end of them.
    mutating func forwardInformational(
        _ answer: ResponseHead, in bytes: Bytes, _ exchange: Slot<Exchange>
    ) -> Bool {
        exchange.it.hasAnswer = true
        if answer.status == 100, exchange.it.awaitsContinue {
            exchange.it.awaitsContinue = false
            exchange.it.client.it.since = loop.now
        }
        guard exchange.it.minorVersion >= 1, !exchange.it.isHedge else { return true }
        let client = exchange.it.client
        // From one socket to another they are bytes like any: no more are read meanwhile.
        let isFlow = !client.it.isStream && exchange.it.upstream?.it.isStream != true
        if client.it.channel.it.isCongested, !isFlow {
            exchange.it.interimHeadsDropped += 1
            return exchange.it.interimHeadsDropped <= Limits.interimHeadsDropped
        }
        head.removeAll()
        appendStatusLine(answer, bytes)
        HeadWriter.copyFields(
            fields, of: bytes.span, skipping: Worker.answerReplaced, into: &head)
        head.appendCRLF()
        if !head.didOverflow { sendHead(to: client, isFinal: false) }
        return true
    }

    /// The answer's head goes to the client.
    ///
    /// - Returns: false when it does not fit.
    mutating func beginAnswer(
        _ answer: ResponseHead, in bytes: Bytes, from upstream: Slot<UpstreamConnection>,
        _ exchange: Slot<Exchange>
    ) -> Bool {
        exchange.it.phase = .answering
        exchange.it.status = answer.status
        exchange.it.firstByteAt = loop.now
        noteLateness(exchange)
        let isOld = exchange.it.minorVersion == 0
        // A stream has an end of its own; elsewhere an answer of unknown length is chunked.
        let mayChunk = !isOld && !exchange.it.client.it.isStream
        exchange.it.answersChunked =
            mayChunk && (answer.framing == .chunked || answer.framing == .untilClose)
        // A stream of events is looked into, so its chunks are taken apart.
        exchange.it.answersFramed =
            mayChunk && answer.framing == .chunked && !answer.contentTypeIsEventStream
        if answer.contentTypeIsEventStream { exchange.it.events = EventStreamScanner() }
        exchange.it.answersUntilClose =
            isOld && (answer.framing == .chunked || answer.framing == .untilClose)
        if !exchange.it.client.it.isStream,
            exchange.it.answersUntilClose || isDraining || !exchange.it.isRequestDone
        {
            exchange.it.keepsAlive = false
        }
        exchange.it.answerDecoder = BodyDecoder(
            framing: answer.framing, keepsFraming: exchange.it.answersFramed)
        noteReuse(answer, of: upstream)
        noteGRPCStatus(exchange, in: bytes)
        guard composeAnswer(answer, in: bytes, exchange) else {
            exchange.it.phase = .awaitingAnswer
            return false
        }
        sendHead(
            to: exchange.it.client, isFinal: true, endsStream: exchange.it.answerDecoder.isDone)
        if !exchange.it.answerDecoder.isDone {
            setTimer(upstream, after: exchange.it.service.it.rules.streamIdle)
        }
        return true
    }

    private func noteReuse(_ answer: ResponseHead, of upstream: Slot<UpstreamConnection>) {
        if upstream.it.isStream { return }
        guard answer.keepsAlive else {
            upstream.it.idleNanoseconds = 0
            return
        }
        if answer.keepAliveTimeoutSeconds >= 0 {
            // A second less than it says: its clock began before ours.
            let seconds = min(max(0, answer.keepAliveTimeoutSeconds - 1), 300)
            upstream.it.idleNanoseconds = Int64(seconds) * 1_000_000_000
        }
    }

    private mutating func takeAnswerBody(
        _ bytes: Bytes, from offset: inout Int, _ upstream: Slot<UpstreamConnection>,
        _ exchange: Slot<Exchange>
    ) throws(WireError) {
        let channel = exchange.it.client.it.channel
        while true {
            let event = try exchange.it.answerDecoder.next(
                bytes.span, from: &offset, fields: &fields)
            switch event {
            case .needMore: return
            case .data(let slice):
                sendPayload(bytes.slice(slice), of: exchange)
            case .framed(let slice, _):
                exchange.it.bytesSent += UInt64(slice.count)
                loop.send(channel, bytes.slice(slice))
            case .chunkHeader(let size):
                sendChunkHeader(size, on: channel)
            case .end(let hasTrailers):
                let isUntidy = offset < bytes.count
                if hasTrailers { noteGRPCStatus(exchange, in: bytes) }
                endAnswer(exchange, bytes, hasTrailers: hasTrailers)
                return finishAnswer(exchange, upstream, mayReuse: !isUntidy)
            }
        }
    }

    /// Passes a part of the answer's body on, framed as the client takes it.
    mutating func sendPayload(_ data: Bytes, of exchange: Slot<Exchange>) {
        let channel = exchange.it.client.it.channel
        exchange.it.bytesSent += UInt64(data.count)
        if exchange.it.events != nil { noteTokens(data, of: exchange) }
        if exchange.it.answersChunked { sendChunkHeader(UInt64(data.count), on: channel) }
        sendBody(data, to: exchange.it.client)
        if exchange.it.answersChunked { loop.send(channel, Bytes("\r\n")) }
    }

    private mutating func sendChunkHeader(_ size: UInt64, on channel: Slot<Channel>) {
        head.removeAll()
        head.appendHex(size)
        head.appendCRLF()
        loop.send(channel, composed)
    }

    /// - Parameter bytes: what the trailers, which stand in the field table, lie in.
    mutating func endAnswer(
        _ exchange: Slot<Exchange>, _ bytes: Bytes, hasTrailers: Bool
    ) {
        let client = exchange.it.client
        if client.it.isStream {
            guard hasTrailers else { return }
            head.removeAll()
            HeadWriter.copyFields(fields, of: bytes.span, into: &head)
            return completeStream(client, trailers: composed)
        }
        guard exchange.it.answersChunked else { return }
        head.removeAll()
        head.append("0\r\n")
        if hasTrailers { HeadWriter.copyFields(fields, of: bytes.span, into: &head) }
        head.appendCRLF()
        loop.send(client.it.channel, composed)
    }

    /// - Parameter trailers: field lines.
    mutating func endAnswer(_ exchange: Slot<Exchange>, trailers: Bytes) {
        let client = exchange.it.client
        if client.it.isStream {
            if !trailers.isEmpty { completeStream(client, trailers: trailers) }
        } else if exchange.it.answersChunked {
            head.removeAll()
            head.append("0\r\n")
            head.append(trailers.span)
            head.appendCRLF()
            loop.send(client.it.channel, composed)
        }
    }

    // MARK: Ends

    mutating func upstreamEnded(
        _ upstream: Slot<UpstreamConnection>, _ exchange: Slot<Exchange>, wasReset: Bool
    ) {
        guard exchange.it.phase == .answering else {
            // Part of an answer was seen: never again elsewhere.
            if !upstream.it.stash.isEmpty { exchange.it.hasAnswer = true }
            return tryFailed(exchange, .reset)
        }
        do {
            try exchange.it.answerDecoder.ended()
            if wasReset { return cutAnswer(exchange, .reset) }
            endAnswer(exchange, .empty, hasTrailers: false)
            finishAnswer(exchange, upstream, mayReuse: false)
        } catch {
            cutAnswer(exchange, .reset)
        }
    }

    mutating func finishAnswer(
        _ exchange: Slot<Exchange>, _ upstream: Slot<UpstreamConnection>, mayReuse: Bool
    ) {
        let channel = upstream.it.channel
        let isReusable =
            mayReuse && !upstream.it.isStream && exchange.it.isRequestDone
            && upstream.it.idleNanoseconds > 0
            && !channel.it.isReadable && !channel.it.isPeerClosed && !channel.it.isCongested
            && !channel.it.isBroken
        if isReusable {
            exchange.it.upstream = nil
            rest(upstream)
        }
        let outcome = outcome(of: exchange)
        endTry(exchange, outcome: outcome)
        finish(exchange, outcome: outcome)
    }

    static func outcome(of status: UInt16) -> Outcome {
        switch status {
        case ..<400: .success
        case ..<500: .client
        default: .model
        }
    }

    /// Keeps a connection for the next request.
    private mutating func rest(_ upstream: Slot<UpstreamConnection>) {
        let pool = upstream.it.pool
        upstream.it.stash.free()
        upstream.it.exchange = nil
        upstream.it.since = loop.now
        guard pool.it.idleCount < Limits.idlePerEndpoint, pool.it.users > 0, !isDraining else {
            return closeUpstream(upstream)
        }
        pool.unlink(upstream)
        upstream.it.phase = .idle
        pool.linkIdle(upstream)
        meters.idleUpstreams.increment()
        // Its timer, wherever it stands, looks at the age; reuse looks at it, too.
        if !loop.timers.isLive(upstream.it.channel.it.timer) {
            setTimer(upstream, after: upstream.it.idleNanoseconds)
        }
    }
}
