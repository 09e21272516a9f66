// The HTTP/2 half of one event loop: makes its sessions, and hands out what they received. One
// lives in each worker. It owns no socket: bytes come in and go out through the sessions.

/// What a session is to be.
package struct HTTP2Options: Sendable {
    /// The connection is encrypted: requests over it have the scheme https.
    package var isSecure = false
    /// A head may have so many bytes (RFC 9113 10.5.1 counts 32 more for each field).
    package var headBytes = Limits.headBytes
    /// Streams a client may have open.
    package var streams = Limits.streams
    /// Clients may ask for extended CONNECT (RFC 8441): some route allows upgrades.
    package var allowsUpgrades = false

    package init() {}
}

@safe package struct HTTP2Loop: ~Copyable {
    let record: RecordPointer<HTTP2LoopRecord>

    package init() {
        guard let record = HTTP2LoopRecord() else {
            preconditionFailure("there is memory for a loop's HTTP/2 records")
        }
        self.record = RecordPointer(making: record)
    }

    /// Every session must have been freed before.
    deinit { record.free() }

    /// The gateway's end of a client's connection. Its first bytes are the preface.
    /// - Parameter owner: whatever finds the connection again from one of its streams.
    package func makeServer(_ options: HTTP2Options, owner: UInt, now: Int64) -> HTTP2Session? {
        HTTP2Session.make(on: record, isServer: true, options, owner: owner, now: now)
    }

    /// The gateway's end of a connection to a replica.
    package func makeClient(_ options: HTTP2Options, owner: UInt, now: Int64) -> HTTP2Session? {
        HTTP2Session.make(on: record, isServer: false, options, owner: owner, now: now)
    }

    /// The next thing the session received that the owner has not seen. What belongs to streams
    /// that were reset meanwhile, or that the owner has let go of, is passed over.
    ///
    /// On a server, `head` and `headTooLarge` hand the stream to the owner, who has to let go of
    /// it (`release` or `reset`) once.
    package func nextEvent() -> HTTP2Event? {
        while let queued = record.it.pop() {
            let stream = queued.stream
            stream.it.mentions &-= 1
            stream.it.handOver(isNew: queued.kind == .head || queued.kind == .headTooLarge)
            guard stream.it.isHeld, !stream.it.isMoot else {
                let session = stream.it.session
                if queued.kind == .data { session.consume(Int(queued.slice.count), of: stream) }
                session.giveUpIfUnused(stream)
                continue
            }
            return HTTP2Event(
                kind: queued.kind, endsStream: queued.endsStream, fieldCount: queued.fieldCount,
                stream: HTTP2Stream(record: stream), slice: queued.slice)
        }
        return nil
    }

    /// The bytes that the slices of heads and trailers lie in. They hold until a session of this
    /// loop next receives.
    package func withHeads<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe record.it.heads.withBytes(body)
    }
}
