// A loop hands out events of sessions in both roles; streams belong to their owner from the head
// on, and until it lets go.

import HTTPWire
import Testing

@Suite struct HTTP2LoopTests {
    @Test func `an owner finds its record again with each event`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        try server.stream(1).owner = 42
        let bytes = RawFrame.data(1, "x", ends: true).bytes
        let taken = server.session.receive(unsafe bytes.span.bytes, now: 1)
        #expect(taken == bytes.count)
        let event = server.loop.nextEvent()
        #expect(event?.stream.owner == 42)
        #expect(event?.stream.session.owner == 7)
        let more = server.loop.nextEvent()
        #expect(more == nil)
        try server.stream(1).release()
    }

    @Test func `events of a stream that was let go of are passed over`() throws {
        let server = try HTTP2Drive.server()
        let bytes =
            RawFrame.headers(1, HPACK.post, ends: false).bytes
            + (0..<9).flatMap { _ in RawFrame.data(1, count: 16_000).bytes }
            + RawFrame.headers(3, HPACK.get).bytes
        var rest = bytes[...]
        var kinds: [HTTP2Event.Kind] = []
        while !rest.isEmpty {
            let chunk = Array(rest)
            rest = rest.dropFirst(server.session.receive(unsafe chunk.span.bytes, now: 1))
            while let event = server.loop.nextEvent() {
                kinds.append(event.kind)
                event.stream.reset(.cancel)
            }
        }
        #expect(kinds == [.head, .head])
        // What was dropped does not count against the connection.
        #expect(!server.output().only(RawFrame.Kind.reset).isEmpty)
        #expect(server.session.streamCount == 0)
    }

    @Test func `a session that is freed takes its streams with it`() throws {
        let loop = HTTP2Loop()
        for _ in 0..<3 {
            let made = loop.makeServer(HTTP2Options(), owner: 1, now: 1)
            let session = try #require(made)
            let bytes =
                RawFrame.preface + RawFrame.settings().bytes
                + RawFrame.headers(1, HPACK.get).bytes
                + RawFrame.headers(3, HPACK.post, ends: false).bytes
            let taken = session.receive(unsafe bytes.span.bytes, now: 1)
            #expect(taken == bytes.count)
            while loop.nextEvent() != nil {}
            #expect(session.anyStream != nil)
            session.free()
        }
    }
}
