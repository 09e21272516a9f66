// Time and HTTP/2 connections: those at rest are closed, those whose peer takes nothing or never
// finishes a head are given up, and those that are to end say so first.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// Sees to it that the connection is looked at again.
    mutating func watch(_ carrier: Slot<Carrier>) {
        let channel = carrier.it.channel
        if loop.timers.isLive(channel.it.timer) { return }
        switch carrier.it.owner {
        case .client(let client):
            let time = nextLook(at: client, carrier)
            // What is over already was seen to, and may just take its time to end.
            let soonest = loop.now + Limits.carrierPauseNanoseconds
            if time < .max { loop.setTimer(channel, at: time > loop.now ? time : soonest) }
        case .upstream: loop.setTimer(channel, at: loop.now + Limits.upstreamIdleNanoseconds)
        }
    }

    /// The earliest time at which something may be over. What has not begun yet is over after the
    /// shortest limit at the earliest, so that nothing is ever found late.
    private func nextLook(at client: Slot<ClientConnection>, _ carrier: Slot<Carrier>) -> Int64 {
        var time = min(
            deadline(loop.now, gateway.keepAlive), deadline(loop.now, gateway.responseIdle),
            deadline(loop.now, gateway.requestHead))
        if client.it.channel.it.isCongested {
            time = min(time, deadline(client.it.since, gateway.responseIdle))
        }
        if carrier.it.headSince > 0 {
            time = min(time, deadline(carrier.it.headSince, gateway.requestHead))
        }
        if carrier.it.streamCount == 0 {
            time = min(time, deadline(carrier.it.since, gateway.keepAlive))
        }
        if let since = carrier.it.session.longestStalled?.stalledSince {
            time = min(time, deadline(since, gateway.responseIdle))
        }
        return time
    }

    private func deadline(_ start: Int64, _ limit: Int64) -> Int64 {
        limit > 0 ? start + limit : .max
    }

    /// A head has begun and not ended with what came.
    mutating func headBegan(on carrier: Slot<Carrier>) {
        carrier.it.headSince = loop.now
        guard case .client = carrier.it.owner, gateway.requestHead > 0 else { return }
        loop.setTimer(carrier.it.channel, at: loop.now + gateway.requestHead)
    }

    mutating func carrierTimer(_ client: Slot<ClientConnection>) {
        guard let carrier = client.it.carrier else { return }
        if client.it.channel.it.isCongested {
            if hasPassed(gateway.responseIdle, since: client.it.since) {
                return resetClient(client)
            }
        } else if carrier.it.headSince > 0,
            hasPassed(gateway.requestHead, since: carrier.it.headSince)
        {
            // Nothing but the rest of that head could come any more.
            carrier.it.isEnding = true
            carrier.it.session.terminate(.enhanceYourCalm)
            list(carrier)
        } else if carrier.it.streamCount == 0, carrier.it.session.pendingBytes == 0,
            hasPassed(gateway.keepAlive, since: carrier.it.since)
        {
            goAway(carrier)
        }
        if gateway.responseIdle > 0 { resetStalled(on: carrier) }
        watch(carrier)
    }

    /// Answers that their clients do not take: windows that stay shut, or open byte by byte.
    private mutating func resetStalled(on carrier: Slot<Carrier>) {
        let limit = loop.now - gateway.responseIdle
        while let stream = carrier.it.session.longestStalled,
            let since = stream.stalledSince, since <= limit
        {
            if stream.isHeld, let client = Slot<ClientConnection>(address: stream.owner) {
                if let exchange = client.it.exchange {
                    exchange.it.error = .slowClient
                    endTry(exchange, outcome: .cancelled)
                    conclude(exchange, outcome: .cancelled)
                }
                resetClient(client)
            } else {
                stream.reset(.cancel)
            }
            list(carrier)
        }
    }

    mutating func carrierTimer(_ upstream: Slot<UpstreamConnection>) {
        guard let carrier = upstream.it.carrier else { return }
        if carrier.it.streamCount == 0,
            hasPassed(Limits.upstreamIdleNanoseconds, since: carrier.it.since)
        {
            return closeUpstream(upstream)
        }
        watch(carrier)
    }

    private func hasPassed(_ limit: Int64, since start: Int64) -> Bool {
        limit > 0 && loop.now >= start + limit
    }

    /// No new streams; the connection ends with those it has.
    mutating func goAway(_ carrier: Slot<Carrier>) {
        carrier.it.isEnding = true
        carrier.it.session.goAway()
        list(carrier)
    }

    /// The gateway ends: clients are told first, so that none loses a request on its way.
    mutating func announceDrain() {
        var next = firstClient
        while let client = next {
            next = client.it.next
            guard let carrier = client.it.carrier else { continue }
            carrier.it.session.announceShutdown()
            list(carrier)
        }
    }
}
