// TLS with replicas, after the connection and before its first request; within the time to connect.

import HTTPWire
import Reactor
import TLS
import Traffic

extension Worker {
    /// Begins a handshake. False when it cannot even begin.
    mutating func shakeHands(_ upstream: Slot<UpstreamConnection>, _ tls: EndpointTLS) -> Bool {
        guard loop.beginTLS(upstream.it.channel, as: tls.context, to: tls.name) else {
            return false
        }
        upstream.it.isShaking = true
        return true
    }

    mutating func goOnShaking(_ upstream: Slot<UpstreamConnection>) {
        let channel = upstream.it.channel
        let result = loop.receive(channel, atMost: Limits.cautiousReadBytes)
        guard loop.isEstablished(channel) else {
            switch result {
            case .wouldBlock: return
            // Nobody speaks before it was asked.
            case .bytes, .ended, .failed: return shakingFailed(upstream)
            }
        }
        upstream.it.isShaking = false
        meters.handshakes.increment()
        if upstream.it.carrier != nil {
            let isAgreed = loop.negotiated(channel) == .http2
            if !isAgreed, upstream.it.pool.it.endpoint.key.wire == .auto {
                if case .bytes = result { return shakingFailed(upstream) }
                return demote(upstream)
            }
            carrierConnected(upstream, failed: isAgreed ? nil : .upstreamTLS)
            // A server may speak first in HTTP/2: its settings come with the handshake's end.
            if case .bytes(let count) = result, let carrier = upstream.it.carrier,
                !channel.it.isClosed
            {
                _ = receive(loop.received(count), on: carrier)
            }
            return
        }
        guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
        // A replica that speaks before it was asked is not understood.
        if case .bytes = result { return tryFailed(exchange, .malformedAnswer) }
        beginUse(of: upstream, for: exchange)
    }

    mutating func shakingFailed(_ upstream: Slot<UpstreamConnection>) {
        if let fault = loop.sessionFault { upstream.it.pool.it.note(fault, now: loop.now) }
        if upstream.it.carrier != nil { return carrierConnected(upstream, failed: .upstreamTLS) }
        guard let exchange = upstream.it.exchange else { return closeUpstream(upstream) }
        tryFailed(exchange, .upstreamTLS)
    }
}
