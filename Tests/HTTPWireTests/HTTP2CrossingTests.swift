// Frames that were on the way when their call was given up, and what goes beyond them.

import Testing

@testable import HTTPWire

@Suite struct HTTP2CrossingTests {
    private func heads(_ crossing: inout HTTP2Crossing) -> Int {
        var count = 0
        while crossing.takeHead() { count += 1 }
        return count
    }

    private func bytes(_ crossing: inout HTTP2Crossing, inFramesOf size: Int) -> Int {
        var count = 0
        while crossing.takeData(size) { count += max(1, size) }
        return count
    }

    @Test func `nothing is taken before a call was given up`() {
        var crossing = HTTP2Crossing()
        #expect(heads(&crossing) == 0)
        #expect(bytes(&crossing, inFramesOf: 1) == 0)
    }

    @Test func `a call may still have its heads and a window of data`() {
        var crossing = HTTP2Crossing()
        crossing.gaveUp()
        #expect(heads(&crossing) == Limits.crossingHeads)
        let window = Limits.replicaStreamWindowBytes
        #expect(bytes(&crossing, inFramesOf: 60_000) == 60_000)
        // An empty frame is taken for a byte.
        #expect(bytes(&crossing, inFramesOf: 0) == window - 60_000)
    }

    @Test func `calls add up, to a limit`() {
        var crossing = HTTP2Crossing()
        for _ in 0..<(2 * Limits.crossingStreams) { crossing.gaveUp() }
        #expect(heads(&crossing) == Limits.crossingStreams * Limits.crossingHeads)
        let window = Limits.replicaStreamWindowBytes
        #expect(bytes(&crossing, inFramesOf: window) == Limits.crossingStreams * window)
    }

    @Test(arguments: [true, false])
    func `a replica may finish what it was saying, once`(_ twice: Bool) throws {
        let client = try HTTP2Drive.client()
        let streams = try (0..<100).map { _ in
            try client.request("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        }
        _ = client.output()
        let ids = streams.map { UInt32($0.id) }
        for stream in streams { stream.reset(.cancel) }
        _ = client.output()
        for _ in 0..<(twice ? 12 : 1) {
            for id in ids {
                client.take(.headers(id, [(":status", "200")]), .data(id, "x", ends: true))
            }
        }
        #expect(client.output().goAway == (twice ? 11 : nil))
    }
}
