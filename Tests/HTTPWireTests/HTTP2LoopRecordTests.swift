// The queue of events has an end, and a session stops in the middle of its input when it is reached
// and goes on from there.

import HTTPWire
import Testing

@Suite struct HTTP2LoopRecordTests {
    /// Takes in `bytes` and says how many events each pass brought.
    private func passes(_ server: HTTP2Drive, _ bytes: [UInt8]) -> (passes: [Int], text: String) {
        var counts: [Int] = []
        var text = ""
        var rest = bytes[...]
        repeat {
            let chunk = Array(rest)
            let taken = server.session.receive(unsafe chunk.span.bytes, now: 1)
            var count = 0
            while let event = server.loop.nextEvent() {
                count += 1
                if event.kind == .data {
                    text += Wire.text(chunk, event.slice)
                    event.stream.consume(Int(event.slice.count))
                } else {
                    server.streams[event.stream.id] = event.stream
                }
            }
            counts.append(count)
            rest = rest.dropFirst(taken)
        } while !rest.isEmpty || server.session.hasMore
        return (counts, text)
    }

    @Test func `many small pieces come in several passes and none is lost`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        let pieces = (0..<2_000).map { String($0 % 10) }
        let bytes =
            pieces.flatMap { RawFrame.data(1, $0).bytes }
            + RawFrame.data(1, "!", ends: true).bytes
        let found = passes(server, bytes)
        #expect(found.text == pieces.joined() + "!")
        #expect(found.passes.count >= 4)
        #expect(found.passes.allSatisfy { $0 <= 512 })
    }

    @Test func `large heads come in several passes`() throws {
        let server = try HTTP2Drive.server()
        let big = HPACK.literal("x", String(repeating: "y", count: 4_000), form: 0x40)
        let first = RawFrame(type: 1, flags: 5, stream: 1, payload: HPACK.block(HPACK.get) + big)
        // Each head takes 60 KB and 60 bytes on the wire.
        let more = (1..<40).flatMap { index in
            RawFrame(
                type: 1, flags: 5, stream: UInt32(1 + 2 * index),
                payload: HPACK.block(HPACK.get) + Array(repeating: 0xBE, count: 14)
            ).bytes
        }
        let found = passes(server, first.bytes + more)
        #expect(server.streams.count == 40)
        #expect(found.passes.allSatisfy { $0 <= 3 })
        for stream in server.streams.values { stream.reset(.cancel) }
    }

    @Test func `a head that ends with a full queue waits with its first field`() throws {
        let server = try HTTP2Drive.server()
        server.take(.headers(1, HPACK.post, ends: false))
        let bytes =
            (0..<512).flatMap { _ in RawFrame.data(1, "a").bytes }
            + RawFrame.headers(3, HPACK.get).bytes + RawFrame.data(1, "z", ends: true).bytes
        let found = passes(server, bytes)
        #expect(found.text == String(repeating: "a", count: 512) + "z")
        #expect(server.streams.keys.sorted() == [1, 3])
    }

    @Test func `sessions of one loop do not mix half heads`() throws {
        let loop = HTTP2Loop()
        var options = HTTP2Options()
        options.headBytes = 4_096
        let made = (0..<3).map { loop.makeServer(options, owner: UInt($0), now: 1) }
        let sessions = try made.map { try #require($0) }
        let hello = RawFrame.preface + RawFrame.settings().bytes
        let inputs = (0..<3).map { index in
            hello
                + RawFrame.headers(
                    1,
                    HPACK.get + [
                        ("x", "\(index)"), ("cookie", "c\(index)"),
                        ("cookie", "d"), ("y", String(repeating: "z", count: 100 * index)),
                    ]
                ).bytes
        }
        var heads: [UInt: String] = [:]
        for at in 0..<inputs.map(\.count).max()! {
            for (index, session) in sessions.enumerated() where at < inputs[index].count {
                let byte = [inputs[index][at]]
                let taken = session.receive(unsafe byte.span.bytes, now: 1)
                #expect(taken == 1)
                while let event = loop.nextEvent() {
                    let text = unsafe loop.withHeads { Wire.text(unsafe Array($0), event.slice) }
                    heads[event.stream.session.owner] = text
                    event.stream.release()
                }
            }
        }
        for index in 0..<3 {
            let text =
                "GET / HTTP/1.1\r\nhost: a.example\r\nx: \(index)\r\n"
                + "y: \(String(repeating: "z", count: 100 * index))\r\ncookie: c\(index); d\r\n\r\n"
            #expect(heads[UInt(index)] == text)
        }
        for session in sessions { session.free() }
    }
}
