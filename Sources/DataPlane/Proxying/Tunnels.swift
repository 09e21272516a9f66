// Connections that leave HTTP (RFC 9110 7.8), WebSocket above all: where a service allows the
// protocol, client and replica are joined byte for byte until either side ends or both fall silent.

import HTTPWire
import Reactor

extension Worker {
    /// Whether the client asks for a protocol that its service lets through. One that it does not
    /// is left out, and the request goes on as HTTP.
    func mayUpgrade(
        _ request: RequestHead, in bytes: Bytes, _ service: Slot<ServiceRuntime>
    ) -> Bool {
        guard request.upgrade.count > 0, request.framing.isEmpty else { return false }
        let wanted = bytes.slice(request.upgrade)
        let allowed = service.it.rules.upgrades
        for index in 0..<allowed.count where wanted.isEqualIgnoringCase(to: allowed[index].it) {
            return true
        }
        return false
    }

    /// HTTP/2 asks without a key, and a replica of HTTP/1.1 wants one (RFC 8441 5).
    mutating func appendKeyIfMissing(
        _ request: RequestHead, in bytes: Bytes, of client: Slot<ClientConnection>
    ) {
        guard client.it.isStream, WebSocketKey.find(in: bytes.span) == nil,
            bytes.slice(request.upgrade).isEqualIgnoringCase(to: Bytes("websocket"))
        else { return }
        head.append("sec-websocket-key: ")
        WebSocketKey.append(random.next(), random.next(), to: &head)
        head.appendCRLF()
    }

    /// HTTP/2 agrees without a proof, and a client of HTTP/1.1 wants one.
    private mutating func appendAccept(_ exchange: Slot<Exchange>) {
        guard exchange.it.upstream?.it.isStream == true, !exchange.it.client.it.isStream
        else { return }
        let request = exchange.it.replay.bytes.span
        guard let key = WebSocketKey.find(in: request) else { return }
        head.append("sec-websocket-accept: ")
        // What was no key is answered with none, and the client will not have it.
        _ = WebSocketKey.appendAccept(for: request, key, to: &head)
        head.appendCRLF()
    }

    mutating func appendUpgrade(_ name: Bytes) {
        head.append("connection: upgrade\r\nupgrade: ")
        head.append(name.span)
        head.appendCRLF()
    }

    /// The replica has agreed: from here on both directions are bytes.
    mutating func beginTunnel(
        _ answer: ResponseHead, in bytes: Bytes, _ exchange: Slot<Exchange>
    ) {
        let client = exchange.it.client
        exchange.it.phase = .answering
        exchange.it.status = answer.status
        exchange.it.firstByteAt = loop.now
        exchange.it.isTunnel = true
        exchange.it.isReplayable = false
        exchange.it.keepsAlive = false
        exchange.it.keepsPayload = client.it.isStream || exchange.it.keepsPayload
        exchange.it.isRequestDone = false
        exchange.it.requestDecoder = BodyDecoder(framing: .untilClose, keepsFraming: false)
        exchange.it.answerDecoder = BodyDecoder(framing: .untilClose, keepsFraming: false)
        // The end of a tunnel is the end of the connection; a broken one must look broken.
        exchange.it.answersUntilClose = true
        head.removeAll()
        appendStatusLine(answer, bytes)
        HeadWriter.copyFields(
            fields, of: bytes.span, skipping: Worker.answerReplaced, into: &head)
        let upgrade = fields.first(.upgrade)
        if upgrade >= 0 { appendUpgrade(bytes.slice(fields[upgrade].value)) }
        appendAccept(exchange)
        head.append(exchange.it.service.it.rules.responseLines.span)
        head.appendCRLF()
        sendHead(to: client, isFinal: true)
        client.it.since = loop.now
        exchange.it.sentAt = loop.now
        if let upstream = exchange.it.upstream {
            setTimer(upstream, after: exchange.it.service.it.rules.streamIdle)
        }
        // What the client has sent behind its request is the tunnel's first bytes.
        resumeLater(client)
    }

    // MARK: Ends

    func isTunnel(_ client: Slot<ClientConnection>) -> Bool {
        client.it.exchange?.it.isTunnel == true
    }

    /// The client says nothing more.
    mutating func clientEnded(_ client: Slot<ClientConnection>) {
        guard let exchange = client.it.exchange else { return }
        exchange.it.hasClientEnded = true
        resume(client)
    }

    /// Once all that the client has said is handed on, its end follows (RFC 9110 9.3.6). What the
    /// replica still has to say is passed on, for as long as it does not pause.
    mutating func endTunnelInput(_ exchange: Slot<Exchange>) {
        guard exchange.it.hasClientEnded, !exchange.it.isRequestDone,
            exchange.it.client.it.stash.isEmpty, let upstream = exchange.it.upstream
        else { return }
        exchange.it.isRequestDone = true
        exchange.it.sentAt = loop.now
        shutTunnel(upstream)
        setTimer(upstream, after: Limits.lingerNanoseconds)
    }

    /// The replica hears of the client's end once it has taken what came before.
    mutating func shutTunnel(_ upstream: Slot<UpstreamConnection>) {
        if upstream.it.isStream { return completeStream(upstream) }
        loop.flushNow(upstream.it.channel)
        if !upstream.it.channel.it.isCongested { loop.endWrites(upstream.it.channel) }
    }

    /// The client is lost; what it said before goes on as far as there is room for it.
    mutating func flushTunnel(_ exchange: Slot<Exchange>) {
        guard let upstream = exchange.it.upstream, !upstream.it.isStream else { return }
        loop.flushNow(upstream.it.channel)
    }

    mutating func endTunnel(_ exchange: Slot<Exchange>) {
        let client = exchange.it.client
        cancel(exchange)
        if client.it.isStream { completeStream(client) } else { closeClient(client) }
    }
}
