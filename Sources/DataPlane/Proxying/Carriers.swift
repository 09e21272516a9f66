// HTTP/2 connections, to clients and to replicas alike. Each of their streams is a client or an
// upstream of its own, so that exchanges need not know what carries them; this file has what
// both kinds share: bytes in, frames out once a batch, the end.

import HTTPWire
import Reactor

/// A connection with streams on it.
struct Carrier {
    enum Owner {
        case client(Slot<ClientConnection>)
        case upstream(Slot<UpstreamConnection>)
    }

    let session: HTTP2Session
    let channel: Slot<Channel>
    let owner: Owner
    var streamCount = 0
    var firstClient: Slot<ClientConnection>?
    var firstUpstream: Slot<UpstreamConnection>?
    /// Stands in the loop's list of those that have something to send.
    var isListed = false
    /// It says nothing more: its connection is closed, or serves another purpose.
    var isOver = false
    /// Requests wait for what the replica says that it knows.
    var hasAwaitingSettings = false
    /// No new stream: the connection ends with its last one.
    var isEnding = false
    /// Since when a head has been incomplete; 0 when none is.
    var headSince: Int64 = 0
    /// The least time that any answer so far might stay untaken; 0 when none had a limit.
    var shortestStall: Int64 = 0
    /// When the last stream ended, or anything came.
    var since: Int64
    /// When anything came, if it ever has.
    var heardAt: Int64 = 0
    /// When a replica was asked whether it is still there; 0 when it was not.
    var askedAt: Int64 = 0
}

/// What a client or an upstream knows of itself where it is a stream.
struct StreamState {
    /// Nil while a request waits for its connection.
    var handle: HTTP2Stream?
    /// The peer has sent its last byte.
    var hasEnded = false
    /// Our side is complete, or the stream was reset: nothing more is sent.
    var isComplete = false
    /// Why the session would not open it.
    var refusal: HTTP2HeadFault?
    /// Bytes that the peer may send again already, although they wait here.
    var credited = 0
    /// Field lines of the peer's trailers, until the body before them has been passed on.
    var received = HeapBytes()
}

extension Worker {
    // MARK: Coming and going

    mutating func makeCarrier(
        _ owner: Carrier.Owner, on channel: Slot<Channel>, options: HTTP2Options
    ) -> Slot<Carrier>? {
        let session: HTTP2Session?
        switch owner {
        case .client(let client):
            session = http2.makeServer(options, owner: client.address, now: loop.now)
        case .upstream(let upstream):
            session = http2.makeClient(options, owner: upstream.address, now: loop.now)
        }
        guard let session else { return nil }
        let record = Carrier(session: session, channel: channel, owner: owner, since: loop.now)
        guard let carrier = carriers.take(record) else {
            session.free()
            return nil
        }
        list(carrier)
        return carrier
    }

    /// Something waits to be sent: at the end of the batch, with what else comes up meanwhile.
    mutating func list(_ carrier: Slot<Carrier>) {
        if carrier.it.isListed { return }
        carrier.it.isListed = true
        listed.append(carrier)
    }

    /// The connection is closed. Its session ends with the batch: an event of it may be under way.
    mutating func bury(_ carrier: Slot<Carrier>) {
        carrier.it.isOver = true
        deadCarriers.append(carrier)
    }

    // MARK: Bytes

    /// Feeds what came to the session and hands out what it makes of it.
    ///
    /// - Returns: false when the connection cannot go on.
    mutating func receive(_ bytes: Bytes, on carrier: Slot<Carrier>) -> Bool {
        carrier.it.since = loop.now
        carrier.it.heardAt = loop.now
        let session = carrier.it.session
        var rest = bytes
        repeat {
            let used = session.receive(rest.span, now: loop.now)
            handOutEvents(rest, on: carrier)
            handOutNotices(of: carrier)
            if carrier.it.channel.it.isClosed { return false }
            rest = rest.dropping(used)
        } while !rest.isEmpty || session.hasMore
        if carrier.it.hasAwaitingSettings, session.hasPeerSettings { settingsCame(carrier) }
        if !session.isReceivingHead {
            carrier.it.headSince = 0
        } else if carrier.it.headSince == 0 {
            headBegan(on: carrier)
        }
        list(carrier)
        return true
    }

    private mutating func handOutEvents(_ bytes: Bytes, on carrier: Slot<Carrier>) {
        while let event = http2.nextEvent() {
            eventCount &+= 1
            switch carrier.it.owner {
            case .client(let client): take(event, of: bytes, on: carrier, from: client)
            case .upstream: take(event, of: bytes, on: carrier)
            }
        }
    }

    private mutating func handOutNotices(of carrier: Slot<Carrier>) {
        while let notice = carrier.it.session.nextNotice() {
            switch (notice, carrier.it.owner) {
            case (.reset(let stream, let code), .client):
                if let client = Slot<ClientConnection>(address: stream.owner) {
                    streamWasReset(client, code)
                }
            case (.reset(let stream, let code), .upstream):
                if let upstream = Slot<UpstreamConnection>(address: stream.owner) {
                    streamWasReset(upstream, code)
                }
            case (.writable(let stream), .client):
                if let client = Slot<ClientConnection>(address: stream.owner) {
                    client.it.channel.it.isBlocked = false
                    client.it.since = loop.now
                    resumeAnswer(of: client)
                }
            case (.writable(let stream), .upstream):
                if let upstream = Slot<UpstreamConnection>(address: stream.owner) {
                    upstream.it.channel.it.isBlocked = false
                    if let client = upstream.it.exchange?.it.client { resumeLater(client) }
                }
            }
        }
    }

    // MARK: Frames

    /// Before the batch ends: frames of all connections that have something to say.
    mutating func sendFrames() {
        var index = 0
        while index < listed.count {
            let carrier = listed[index]
            index += 1
            carrier.it.isListed = false
            if !carrier.it.isOver { produce(carrier) }
        }
        listed.removeAll(keepingCapacity: true)
    }

    private mutating func produce(_ carrier: Slot<Carrier>) {
        let channel = carrier.it.channel
        while carrier.it.session.wantsToSend, !channel.it.isCongested, !channel.it.isBroken,
            isReady(carrier)
        {
            let count = fillFrames(of: carrier)
            if count == 0 { break }
            loop.sendAtOnce(channel, frames.bytes(count))
        }
        handOutNotices(of: carrier)
        if channel.it.isClosed { return }
        if carrier.it.session.isLeaving { carrier.it.isEnding = true }
        if carrier.it.session.isOver { return end(carrier) }
        watch(carrier)
    }

    /// - Returns: how many bytes of frames there are to send.
    private mutating func fillFrames(of carrier: Slot<Carrier>) -> Int {
        let now = loop.now
        return unsafe frames.fill { room in
            unsafe carrier.it.session.produce(into: room, now: now)
        }
    }

    /// The connection is there, and its handshake done.
    func isReady(_ carrier: Slot<Carrier>) -> Bool {
        if carrier.it.channel.it.isConnecting { return false }
        if case .upstream(let upstream) = carrier.it.owner { return !upstream.it.isShaking }
        return true
    }

    /// A part of a body. A small one waits for the end of the batch, where it shares a frame with
    /// what follows and a call with other streams; a large one leaves at once, without a copy, as
    /// far as windows and the socket let it.
    ///
    /// - Returns: whether the stream takes more.
    mutating func send(
        _ bytes: Bytes, ends: Bool, on stream: HTTP2Stream, of carrier: Slot<Carrier>
    ) -> Bool {
        let channel = carrier.it.channel
        let mustWait =
            bytes.count <= Limits.gatheredBytes || channel.it.isCongested || channel.it.isBroken
            || !isReady(carrier)
        let now = loop.now
        let count = unsafe frames.fill { room in
            let none = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<0])
            return unsafe stream.send(
                bytes.span, ends: ends, into: unsafe mustWait ? none : room, now: now)
        }
        if count > 0 { loop.send(channel, frames.bytes(count)) }
        list(carrier)
        return ends || stream.writable > 0
    }

    /// Does not wait for the end of the batch with what there is to send.
    mutating func sendWaiting(of carrier: Slot<Carrier>) {
        let channel = carrier.it.channel
        guard !channel.it.isCongested, !channel.it.isBroken, isReady(carrier) else { return }
        loop.send(channel, frames.bytes(fillFrames(of: carrier)))
    }

    /// Our side of a stream ends, behind what is still to be sent.
    ///
    /// - Parameter trailers: field lines.
    mutating func finish(_ stream: HTTP2Stream, trailers: Bytes, on carrier: Slot<Carrier>) {
        if trailers.isEmpty {
            _ = send(.empty, ends: true, on: stream, of: carrier)
            return
        }
        // Behind a body that has left they need not be kept.
        if stream.pending > 0 { sendWaiting(of: carrier) }
        lines.removeAll()
        lines.append(trailers.span)
        lines.appendCRLF()
        do {
            try unsafe lines.withBytes { bytes throws(HTTP2HeadFault) in
                try unsafe stream.sendTrailers(bytes.bytes)
            }
        } catch {
            // Without its end the stream is reset when its holder lets go.
        }
        list(carrier)
    }

    /// What the fields of an event's head or trailers lie in.
    func headBytes(of event: HTTP2Event) -> Bytes {
        unsafe http2.withHeads { unsafe Bytes($0) }.slice(event.slice)
    }

    /// Field lines of trailers that may be passed on; nil when they break a rule.
    mutating func readTrailers(_ event: HTTP2Event) -> Bytes? {
        let bytes = headBytes(of: event)
        do {
            guard try TrailerFields.read(bytes.span, into: &fields) != nil else { return nil }
        } catch {
            return nil
        }
        head.removeAll()
        HeadWriter.copyFields(fields, of: bytes.span, into: &head)
        return composed
    }

    /// The session has said its last, or its peer has gone.
    mutating func end(_ carrier: Slot<Carrier>) {
        switch carrier.it.owner {
        case .client(let client) where carrier.it.session.fault == nil: lingerOn(client)
        case .client(let client): closeClient(client)
        case .upstream(let upstream): closeUpstream(upstream)
        }
    }
}
