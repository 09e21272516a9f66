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
        let pause: Int64
        switch carrier.it.owner {
        case .client: pause = shortest(gateway.keepAlive, gateway.responseIdle, gateway.requestHead)
        case .upstream: pause = Limits.upstreamIdleNanoseconds
        }
        if pause > 0 { loop.setTimer(channel, at: loop.now + pause) }
    }

    private func shortest(_ times: Int64...) -> Int64 {
        times.filter { $0 > 0 }.min() ?? 0
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
            goAway(carrier)
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
