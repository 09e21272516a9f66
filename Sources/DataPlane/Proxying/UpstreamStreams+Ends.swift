// How HTTP/2 connections to replicas end, and the requests on them: those that may go elsewhere do,
// and answers that are whole wait for their clients without a connection.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// Requests that may go elsewhere: no byte of an answer has come.
    func gatherWaiting(on carrier: Slot<Carrier>, into moving: inout [Slot<Exchange>]) {
        var next = carrier.it.firstUpstream
        while let upstream = next {
            next = upstream.it.next
            guard let exchange = upstream.it.exchange else { continue }
            let isWaiting = exchange.it.phase == .awaitingAnswer && mayRepeat(exchange)
            if exchange.it.phase == .connecting || isWaiting { moving.append(exchange) }
        }
    }

    /// A connection that carries nothing now, if there is one.
    func idleCarrier(of pool: Slot<EndpointPool>) -> Slot<UpstreamConnection>? {
        var next = pool.it.firstActive
        while let connection = next {
            next = connection.it.next
            if connection.it.phase == .multiplexing, connection.it.carrier?.it.streamCount == 0 {
                return connection
            }
        }
        return nil
    }

    /// Connections that carry nothing now.
    mutating func closeIdleCarriers(of pool: Slot<EndpointPool>) {
        var next = pool.it.firstActive
        while let connection = next {
            next = connection.it.next
            guard let carrier = connection.it.carrier else { continue }
            carrier.it.isEnding = true
            if carrier.it.streamCount == 0 { closeUpstream(connection) }
        }
    }

    mutating func endCarried(_ upstream: Slot<UpstreamConnection>) {
        if upstream.it.isStream { return endStream(upstream) }
        guard let carrier = upstream.it.carrier else { return }
        // Those that hang on it end first, each in its own way, and open nothing more here.
        carrier.it.isEnding = true
        let isAlone = carrier.it.streamCount == 1
        while let stream = carrier.it.firstUpstream {
            connectionLost(under: stream, carrier, isAlone: isAlone)
        }
        guard !upstream.it.channel.it.isClosed else { return }
        let pool = upstream.it.pool
        pool.unlink(upstream)
        loop.close(upstream.it.channel)
        pool.it.openCount -= 1
        meters.openUpstreams.decrement()
        upstream.it.isBuried = true
        deadUpstreams.append(upstream)
        bury(carrier)
        freeIfUnused(pool)
    }

    /// The connection has gone, and the stream from its list, whatever becomes of the request.
    private mutating func connectionLost(
        under upstream: Slot<UpstreamConnection>, _ carrier: Slot<Carrier>, isAlone: Bool
    ) {
        if let exchange = upstream.it.exchange {
            let isAnswering = exchange.it.phase == .answering
            // The answer is whole, and only waits for its client.
            if upstream.it.stream?.hasEnded == true, isAnswering { return detach(upstream) }
            upstream.it.stream?.isComplete = true
            let isBroken = carrier.it.session.fault?.blamesPeer == true
            if isBroken, isAnswering || isAlone {
                refuseAnswer(exchange)
            } else if isAnswering {
                upstreamEnded(upstream, exchange, wasReset: true)
            } else {
                // Of several, nobody knows whose answer it was that made the connection useless.
                tryFailed(exchange, isBroken ? .malformedAnswer : .reset)
            }
        }
        closeUpstream(upstream)
    }

    /// An answer without a body is whole with its head, though its stream goes on: the client does
    /// not wait for the end, which most replicas send right behind. For those that do not, the
    /// stream is cancelled after a while.
    mutating func endAtHead(
        _ exchange: Slot<Exchange>, _ upstream: Slot<UpstreamConnection>
    ) {
        if exchange.it.isRequestDone {
            exchange.it.upstream = nil
            upstream.it.exchange = nil
            setTimer(upstream, after: Limits.lingerNanoseconds)
        }
        finishAnswer(exchange, upstream, mayReuse: false)
    }

    /// Takes the stream off its connection.
    private mutating func detach(_ upstream: Slot<UpstreamConnection>) {
        upstream.it.stream?.handle?.release()
        upstream.it.stream?.handle = nil
        guard let carrier = upstream.it.carrier else { return }
        upstream.it.carrier = nil
        // What still comes of the request is read, and dropped.
        upstream.it.channel.it.isBlocked = false
        upstream.it.next?.it.previous = upstream.it.previous
        if let previous = upstream.it.previous {
            previous.it.next = upstream.it.next
        } else {
            carrier.it.firstUpstream = upstream.it.next
        }
        upstream.it.next = nil
        upstream.it.previous = nil
        carrier.it.streamCount -= 1
        carrier.it.since = loop.now
        list(carrier)
        // How long it may take to come about was theirs to say who waited for it, and have gone.
        if carrier.it.streamCount == 0, case .upstream(let connection) = carrier.it.owner,
            connection.it.phase == .connecting
        {
            carrier.it.isEnding = true
        }
        if carrier.it.isEnding, carrier.it.streamCount == 0, !carrier.it.channel.it.isClosed {
            loop.setTimer(carrier.it.channel, at: loop.now + 1)
        }
        // There is room for one that waits.
        if heldCount > 0 { wantsHeldServed = true }
    }

    /// Lets go of the stream. What is incomplete is cancelled: the replica need not go on.
    private mutating func endStream(_ upstream: Slot<UpstreamConnection>) {
        if let carrier = upstream.it.carrier { doubt(carrier, after: upstream) }
        detach(upstream)
        upstream.it.stream?.received.free()
        upstream.it.stash.free()
        upstream.it.exchange = nil
        loop.drop(upstream.it.channel)
        upstream.it.isBuried = true
        deadUpstreams.append(upstream)
    }
}
