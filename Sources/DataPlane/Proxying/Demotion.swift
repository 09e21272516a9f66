// Endpoints that may choose between HTTP/2 and HTTP/1.1 (ALPN), and chose the latter: requests that
// were made for either go out in the older form.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// A connection that was meant for streams carries one request at a time. Those that waited
    /// for it find others.
    mutating func demote(_ connection: Slot<UpstreamConnection>) {
        guard let carrier = connection.it.carrier else { return }
        connection.it.pool.it.choseHTTP1 = true
        carrier.it.isEnding = true
        var waiting = gathered
        gathered = []
        while let stream = carrier.it.firstUpstream {
            if let exchange = stream.it.exchange {
                exchange.it.upstream = nil
                waiting.append(exchange)
            }
            closeUpstream(stream)
        }
        connection.it.carrier = nil
        bury(carrier)
        guard let first = waiting.first else { return closeUpstream(connection) }
        first.it.upstream = connection
        connection.it.exchange = first
        beginUse(of: connection, for: first)
        for exchange in waiting.dropFirst() {
            endTry(exchange, outcome: .cancelled)
            if exchange.it.isHedge {
                dropHedge(exchange, outcome: .cancelled)
            } else {
                dispatch(exchange)
            }
        }
        waiting.removeAll(keepingCapacity: true)
        gathered = waiting
    }

    /// Hands a request over whose replay is its head and the bare payload.
    mutating func transmitPayload(
        _ exchange: Slot<Exchange>, on upstream: Slot<UpstreamConnection>
    ) {
        let replay = exchange.it.replay.bytes
        let channel = upstream.it.channel
        exchange.it.chunksPayload = exchange.it.isRequestChunked
        let offset = exchange.it.insertOffset
        if offset > 0 {
            loop.send(channel, replay.slice(from: 0, count: offset))
            head.removeAll()
            appendPerTry(exchange)
            loop.send(channel, composed)
        }
        loop.send(channel, replay.slice(from: offset, count: exchange.it.headCount - offset))
        let payload = replay.dropping(exchange.it.headCount)
        guard exchange.it.chunksPayload else { return loop.send(channel, payload) }
        if !payload.isEmpty { sendChunk(payload, on: upstream) }
        if exchange.it.isRequestDone {
            endChunks(exchange.it.requestTrailers.bytes, on: upstream)
        }
    }

    mutating func sendChunk(_ bytes: Bytes, on upstream: Slot<UpstreamConnection>) {
        head.removeAll()
        head.appendHex(UInt64(bytes.count))
        head.appendCRLF()
        loop.send(upstream.it.channel, composed)
        loop.send(upstream.it.channel, bytes)
        loop.send(upstream.it.channel, Bytes("\r\n"))
    }

    mutating func endChunks(_ trailers: Bytes, on upstream: Slot<UpstreamConnection>) {
        loop.send(upstream.it.channel, Bytes("0\r\n"))
        loop.send(upstream.it.channel, trailers)
        loop.send(upstream.it.channel, Bytes("\r\n"))
    }
}
