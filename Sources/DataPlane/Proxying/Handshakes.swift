// TLS with clients, before their first request: bounded in time and number, and honest towards
// those who did not mean to speak it.

import HTTPWire
import Reactor
import TLS
import Traffic

extension Worker {
    /// The client's next bytes are a handshake. False when there is no room for another one, or its
    /// listener has gone.
    mutating func beginHandshake(_ client: Slot<ClientConnection>) -> Bool {
        guard handshakes < Limits.handshakes,
            let listener = listeners.first(where: { $0.number == client.it.listener }),
            let context = listener.tls, loop.beginTLS(client.it.channel, as: context)
        else {
            meters.refused.increment()
            return false
        }
        handshakes += 1
        client.it.phase = .shakingHands
        client.it.since = loop.now
        setTimer(client, after: gateway.requestHead)
        return true
    }

    /// Looks at a handshake after bytes came.
    ///
    /// - Returns: whether what came is to be read on as usual.
    mutating func handshakeWentOn(_ client: Slot<ClientConnection>, _ result: Received) -> Bool {
        if case .failed = result {
            handshakeFailed(client, loop.sessionFault)
            return false
        }
        if loop.isEstablished(client.it.channel) { handshakeEnded(client) }
        return !client.it.channel.it.isClosed
    }

    private mutating func handshakeEnded(_ client: Slot<ClientConnection>) {
        handshakes -= 1
        meters.handshakes.increment()
        client.it.isSecure = true
        client.it.hasCertificate = hasSubject(client)
        client.it.phase = .awaitingHead
        client.it.since = loop.now
        setTimer(client, after: gateway.keepAlive)
        // What was agreed is what is spoken: no guessing by the first bytes.
        client.it.isFresh = false
        if loop.negotiated(client.it.channel) == .http2, !beginMultiplexing(client) {
            closeClient(client)
        }
    }

    private mutating func hasSubject(_ client: Slot<ClientConnection>) -> Bool {
        lines.removeAll()
        let channel = client.it.channel
        unsafe lines.appendRaw { room in unsafe loop.peerSubject(of: channel, into: room) }
        return lines.count > 0
    }

    /// Ends a handshake that failed, or took too long.
    ///
    /// - Parameter fault: nil when it was none of what the client sent.
    mutating func handshakeFailed(_ client: Slot<ClientConnection>, _ fault: TLSFault?) {
        handshakes -= 1
        client.it.phase = .awaitingHead
        if fault?.kind == .plainHTTP {
            loop.dropTLS(client.it.channel)
            return refuse(client, .plainHTTP)
        }
        meters.refusal(.handshake).increment()
        logRefusal(client, .handshake, status: 0, method: .empty, target: .empty)
        closeClient(client)
    }

    /// Sealed bytes that came with a PROXY protocol header.
    mutating func takeSealed(_ bytes: Bytes, from client: Slot<ClientConnection>) -> Int {
        let count = bytes.count
        let result = loop.feed(bytes, to: client.it.channel)
        guard handshakeWentOn(client, result) else { return count }
        switch result {
        case .bytes(let opened): take(loop.received(opened), from: client)
        case .wouldBlock: break
        // Between the handshake and the first request.
        case .ended, .failed: clientGone(client)
        }
        return count
    }

    /// The certificate's subject, for the replica; clients cannot send the field themselves.
    mutating func appendSubject(_ client: Slot<ClientConnection>) {
        head.append("x-penstock-client-subject: ")
        let channel = client.it.carrier?.it.channel ?? client.it.channel
        unsafe head.appendRaw { room in unsafe loop.peerSubject(of: channel, into: room) }
        head.appendCRLF()
    }
}
