// What waits on a stream: kept in order through any pattern of filling and draining.

import Fixtures
import HTTPWire
import Testing

@Suite struct HTTP2PendingTests {
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `bytes leave in the order in which they came`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let server = try HTTP2Drive.server(settings: [(4, 0)])
        server.take(.headers(1, HPACK.get), .windowUpdate(0, 10_000_000))
        try server.respond(1, ends: false)
        var sent: [UInt8] = []
        var received: [UInt8] = []
        var open = 0
        for _ in 0..<200 {
            let piece = (0..<Int.random(in: 0...3_000, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            sent += piece
            server.roomBytes = [0, 64, 5_000, 65_536].randomElement(using: &random) ?? 0
            received += data(RawFrame.parse(try server.sendBytes(1, piece, ends: false)))
            let credit = Int.random(in: 1...3_000, using: &random)
            open += credit
            server.take(.windowUpdate(1, UInt32(credit)))
            server.roomBytes = 4_000
            received += data(server.output())
            #expect(received.count == min(sent.count, open), "seed \(seed)")
            #expect(try server.stream(1).pending == sent.count - received.count)
        }
        #expect(received == Array(sent.prefix(received.count)), "seed \(seed)")
        try server.stream(1).reset(.cancel)
        #expect(server.session.pendingBytes == 0)
    }

    private func data(_ frames: [RawFrame]) -> [UInt8] {
        frames.only(RawFrame.Kind.data).flatMap(\.payload)
    }
}
