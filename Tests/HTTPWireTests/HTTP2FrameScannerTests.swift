// The look at frame headers ahead of the library: what it finds does not depend on how the bytes
// arrive, and never on what lies in payloads.

import HTTPWire
import Testing

@Suite struct HTTP2FrameScannerTests {
    /// What a server sees and says, the bytes cut at each of `cuts`.
    private func outcome(_ bytes: [UInt8], cuts: [Int]) throws -> ([Seen], [RawFrame]) {
        let server = try HTTP2Drive.server()
        var seen: [Seen] = []
        var frames: [RawFrame] = []
        var start = 0
        for cut in cuts + [bytes.count] {
            seen += server.take(Array(bytes[start..<cut]))
            frames += server.output()
            start = cut
        }
        return (seen + server.notices(), frames)
    }

    private static let frames: [RawFrame] = [
        .headers(1, HPACK.post, ends: false), .ping(), .data(1, "one"),
        RawFrame(type: 2, stream: 9, payload: [0, 0, 0, 3, 7]), .headers(3, HPACK.get, flags: 0),
        RawFrame(type: 9, stream: 3, payload: HPACK.literal("x", "y")),
        RawFrame(type: 9, flags: 4, stream: 3, payload: HPACK.literal("z", "")),
        RawFrame(type: 16, payload: number(5) + Array("u=1".utf8)), .data(1, "two", ends: true),
        .headers(5, HPACK.post, ends: false), .reset(5), .data(5, "late"), .ping(9),
        .data(3, "too late"),
    ]

    @Test func `any cut gives the same events and the same answers`() throws {
        let bytes = Self.frames.dropLast().flatMap(\.bytes)
        let whole = try outcome(bytes, cuts: [])
        #expect(whole.1.goAway == nil)
        #expect(whole.1.resets == [5: 5])
        for cut in 1..<bytes.count {
            let cutOnce = try outcome(bytes, cuts: [cut])
            #expect(merged(cutOnce.0) == merged(whole.0), "cut at \(cut)")
            #expect(cutOnce.1.goAway == nil)
            #expect(cutOnce.1.resets == [5: 5])
        }
    }

    @Test func `byte by byte is the same as whole`() throws {
        let bytes = Self.frames.flatMap(\.bytes)
        let whole = try outcome(bytes, cuts: [])
        let bytewise = try outcome(bytes, cuts: Array(1..<bytes.count))
        #expect(merged(bytewise.0) == merged(whole.0))
        #expect(bytewise.1.goAway == 5)
    }

    /// Pieces of data that follow each other as one; stream 5 comes and goes with the cuts.
    private func merged(_ seen: [Seen]) -> [Seen] {
        var result: [Seen] = []
        for event in seen {
            switch (result.last, event) {
            case (.data(let id, let text, _), .data(let next, let more, let ends)) where id == next:
                result[result.count - 1] = .data(id, text + more, ends: ends)
            case (.data(let id, let text, _), .end(let next)) where id == next:
                result[result.count - 1] = .data(id, text, ends: true)
            case (_, .head(5, _, _)), (_, .reset(5, _)): break
            default: result.append(event)
            }
        }
        return result
    }
}
