// Time and HTTP/2 connections: those at rest are closed, those whose peer takes nothing, never
// finishes a head or is silent are given up, and those that are to end say so first.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// Sees to it that the connection is looked at again.
    mutating func watch(_ carrier: Slot<Carrier>) {
        let channel = carrier.it.channel
        if loop.timers.isLive(channel.it.timer) { return }
        switch carrier.it.owner {
        case .client(let client): lookAgain(at: client, carrier)
        case .upstream: loop.setTimer(channel, at: loop.now + Limits.upstreamIdleNanoseconds)
        }
    }

    private mutating func lookAgain(
        at client: Slot<ClientConnection>, _ carrier: Slot<Carrier>
    ) {
        let time = nextLook(at: client, carrier)
        if time == .max { return }
        // What is over already was seen to, and may just take its time to end.
        let soonest = loop.now + Limits.carrierPauseNanoseconds
        loop.setTimerSooner(carrier.it.channel, at: time > loop.now ? time : soonest)
    }

    /// The earliest time at which something may be over. What has not begun yet is over after the
    /// shortest limit at the earliest, so that nothing is ever found late.
    private func nextLook(at client: Slot<ClientConnection>, _ carrier: Slot<Carrier>) -> Int64 {
        var time = min(
            deadline(loop.now, gateway.keepAlive), deadline(loop.now, gateway.responseIdle),
            deadline(loop.now, gateway.requestHead), deadline(loop.now, carrier.it.shortestStall))
        if carrier.it.headSince > 0 {
            time = min(time, deadline(carrier.it.headSince, gateway.requestHead))
        }
        if carrier.it.streamCount == 0 {
            time = min(time, deadline(carrier.it.since, gateway.keepAlive))
        }
        if let end = carrier.it.session.longestStalled?.stallEnd { time = min(time, end) }
        return time
    }

    private func deadline(_ start: Int64, _ limit: Int64) -> Int64 {
        limit > 0 ? start + limit : .max
    }

    /// A head has begun and not ended with what came.
    mutating func headBegan(on carrier: Slot<Carrier>) {
        carrier.it.headSince = loop.now
        guard case .client = carrier.it.owner, gateway.requestHead > 0 else { return }
        // What is due sooner is not put off by heads.
        loop.setTimerSooner(carrier.it.channel, at: loop.now + gateway.requestHead)
    }

    mutating func carrierTimer(_ client: Slot<ClientConnection>) {
        guard let carrier = client.it.carrier else { return }
        if client.it.channel.it.isCongested {
            if takesTooSlowly(client, gateway.responseIdle) { return resetClient(client) }
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
        resetStalled(on: carrier)
        lookAgain(at: client, carrier)
    }

    /// Answers that their clients do not take: windows that stay shut, or open byte by byte.
    private mutating func resetStalled(on carrier: Slot<Carrier>) {
        while let stream = carrier.it.session.longestStalled,
            let end = stream.stallEnd, end <= loop.now
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

    /// How long the client may leave its answer untaken, by its service's word or the gateway's.
    mutating func limitStall(of client: Slot<ClientConnection>, _ nanoseconds: Int64) {
        guard let stream = client.it.stream?.handle, let carrier = client.it.carrier else { return }
        stream.stallLimit = nanoseconds > 0 ? nanoseconds : .max
        let shortest = carrier.it.shortestStall
        guard nanoseconds > 0, shortest == 0 || nanoseconds < shortest else { return }
        carrier.it.shortestStall = nanoseconds
        loop.setTimerSooner(carrier.it.channel, at: loop.now + nanoseconds)
    }

    mutating func carrierTimer(_ upstream: Slot<UpstreamConnection>) {
        guard let carrier = upstream.it.carrier else { return }
        let channel = upstream.it.channel
        if channel.it.isCongested {
            // For requests that wait for it: from here on is known what it takes.
            _ = upstream.it.pace.look(
                stalledAt: channel.it.stalledAt, taken: loop.takenBytes(of: channel), now: loop.now,
                idleLimit: 0)
        }
        if carrier.it.askedAt > 0, !carrier.it.isEnding {
            let isSilent = carrier.it.heardAt < carrier.it.askedAt
            let due = carrier.it.askedAt + Limits.askedNanoseconds
            // Its timer may be early, since it tells of bytes that are not taken, too.
            if isSilent, loop.now < due { return loop.setTimer(carrier.it.channel, at: due) }
            carrier.it.isEnding = isSilent
            carrier.it.askedAt = 0
        }
        let limit = carrier.it.isEnding ? 1 : Limits.upstreamIdleNanoseconds
        if carrier.it.streamCount == 0, hasPassed(limit, since: carrier.it.since) {
            return closeUpstream(upstream)
        }
        watch(carrier)
    }

    /// A request has ended without a byte on its connection since it began. Over HTTP/1.1 the
    /// connection would go with it; here others would follow it to a replica that may have gone
    /// without a word. So it is asked for a sign of life, and gets no more requests without one.
    mutating func doubt(_ carrier: Slot<Carrier>, after upstream: Slot<UpstreamConnection>) {
        guard loop.now - carrier.it.heardAt >= Limits.doubtNanoseconds,
            carrier.it.heardAt <= upstream.it.since, carrier.it.askedAt == 0,
            !carrier.it.isEnding, isReady(carrier)
        else { return }
        carrier.it.askedAt = loop.now
        carrier.it.session.ask()
        list(carrier)
        loop.setTimer(carrier.it.channel, at: loop.now + Limits.askedNanoseconds)
    }

    /// A connection that does not come about in a request's time is left to those who still wait
    /// for it; it ends with the last of them.
    mutating func leave(_ carrier: Slot<Carrier>) {
        guard !carrier.it.isOver, case .upstream(let connection) = carrier.it.owner,
            connection.it.phase == .connecting
        else { return }
        carrier.it.isEnding = true
        if carrier.it.streamCount == 0 { closeUpstream(connection) }
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
