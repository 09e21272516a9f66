// Bytes through a session: whole and in pieces, ended well and cut off, and what no client may do.
// No sockets: both ends are in memory.

import COpenSSL
import Fixtures
import TLS
import Testing

@Suite struct TLSSessionTests {
    /// A client of ours and a server of ours, their handshake done.
    private func pair(by step: Int = .max) throws -> (client: TLSEnd, server: TLSEnd) {
        let server = try TLSEnd(Contexts.server())
        let client = try TLSEnd(Contexts.client(), to: "model.example")
        Wire.carry(client, server, by: step)
        return (client, server)
    }

    @Test(arguments: [Int.max, 1, 7, 1000])
    func `a message arrives however its bytes are cut`(step: Int) throws {
        let (client, server) = try pair(by: step)
        #expect(client.session.isEstablished && server.session.isEstablished)
        try client.say("ping")
        try server.say("pong")
        Wire.carry(client, server, by: step)
        #expect(server.heard == "ping")
        #expect(client.heard == "pong")
    }

    private static let megabyte: [UInt8] = {
        var seeded = SeededGenerator(seed: 11)
        return (0..<1_048_576).map { _ in UInt8(truncatingIfNeeded: seeded.next()) }
    }()

    @Test(arguments: [Int.max, 100_000, 4_099])
    func `a megabyte arrives both ways`(step: Int) throws {
        let (client, server) = try pair()
        let (question, answer) = (Self.megabyte, Array(Self.megabyte.reversed()))
        try client.say(question)
        try server.say(answer)
        Wire.carry(client, server, by: step)
        #expect(server.inbox == question)
        #expect(client.inbox == answer)
    }

    @Test func `all records of one message lie behind each other`() throws {
        let (client, server) = try pair()
        try server.say([UInt8](repeating: 1, count: 100_000))
        // Seven records, 5 + 1 + 16 bytes more each.
        #expect(server.outbox.count == 100_000 + 7 * 22)
        client.take(server.outbox)
        #expect(client.inbox.count == 100_000)
    }

    @Test func `what is sent before the handshake is refused`() throws {
        let server = try TLSEnd(Contexts.server())
        #expect(throws: TLSFault.self) { try server.say("early") }
        #expect(server.outbox.isEmpty)
    }

    @Test func `an end that was announced is told from one that was not`() throws {
        let (client, server) = try pair()
        try client.say("last words")
        #expect(!server.session.isPeerClosed)
        client.close()
        server.take(client.outbox)
        #expect(server.heard == "last words")
        #expect(server.outcome == .closed)
        #expect(server.session.isPeerClosed)
    }

    @Test func `a half-closed session can still be answered`() throws {
        let (client, server) = try pair()
        client.close()
        server.take(client.outbox)
        try server.say("answer")
        #expect(!server.outbox.isEmpty)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `who has announced an end still hears the other side`(version: Int32) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: version))
        Wire.carry(client, server)
        server.close()
        let end = server.outbox.count
        // What asks for an answer gets none any more.
        if version == TLS1_3_VERSION { client.updateKeys() }
        client.say(Array("goes on".utf8))
        server.take(client.outbox)
        #expect(server.heard == "goes on" && server.outcome == .open)
        #expect(server.outbox.count == end)
        #expect(throws: TLSFault.self) { try server.say("after all") }
        server.close()
        #expect(server.outbox.count == end)
    }

    @Test func `nothing is read behind the announced end`() throws {
        let (client, server) = try pair()
        client.close()
        let noise: [UInt8] = [23, 3, 3, 0, 20] + Array(repeating: 9, count: 20)
        server.take(client.outbox + noise)
        #expect(server.outcome == .closed)
        server.take(noise)
        #expect(server.outcome == .closed)
        #expect(server.inbox.isEmpty)
    }

    @Test func `a record that was tampered with ends the session with an alert`() throws {
        let (client, server) = try pair()
        try client.say("good")
        server.take(client.outbox)
        client.outbox = []
        try client.say("evil")
        client.outbox[client.outbox.count - 1] ^= 1
        server.take(client.outbox)
        #expect(server.heard == "good")
        #expect(server.outcome == .failed(.malformed))
        #expect(server.outbox.count > 5)
        server.take([1, 2, 3])
        #expect(server.outcome == .failed(.unusable))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", TLSFault.Kind.plainHTTP), ("PRI * HTTP/2.0\r\n", .plainHTTP),
        ("P", .plainHTTP), ("SSH-2.0-OpenSSH", .plainHTTP), ("\u{0}\u{1}\u{2}", .notTLS),
        ("\u{16}\u{2}", .notTLS), ("\u{16}\u{3}\u{1}\u{0}\u{3}", .notTLS),
        ("\u{16}\u{3}\u{1}\u{0}\u{20}\u{2}", .notTLS), ("\r\n", .notTLS), ("get / ", .notTLS),
    ])
    func `what is not TLS is known by its first bytes`(
        text: String, kind: TLSFault.Kind
    ) throws {
        let whole = try TLSEnd(Contexts.server())
        whole.take(Array(text.utf8))
        #expect(whole.outcome == .failed(kind))
        #expect(whole.outbox.isEmpty)
        let pieces = try TLSEnd(Contexts.server())
        for byte in text.utf8 where pieces.outcome == .open { pieces.take([byte]) }
        #expect(pieces.outcome == .failed(kind))
    }

    @Test func `a first message above 16 KiB is refused by its header`() throws {
        let server = try TLSEnd(Contexts.server())
        server.take([22, 3, 1, 0x40, 0, 1, 0, 0x40])
        #expect(server.outcome == .open)
        server.take([1])
        #expect(server.outcome == .failed(.tooLarge))
    }

    @Test func `noise behind a right beginning is answered with an alert`() throws {
        let server = try TLSEnd(Contexts.server())
        server.take([22, 3, 1, 0, 8, 1, 0, 0, 4, 9, 9, 9, 9])
        guard case .failed = server.outcome else {
            Issue.record("still \(server.outcome)")
            return
        }
        #expect(server.outbox.first == 21)
    }
}

// MARK: What established clients may not do

extension TLSSessionTests {
    private func foreign(_ version: Int32) throws -> (client: ForeignClient, server: TLSEnd) {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: version))
        Wire.carry(client, server)
        try #require(client.isEstablished)
        return (client, server)
    }

    @Test func `a client cannot renegotiate`() throws {
        let (client, server) = try foreign(TLS1_2_VERSION)
        client.renegotiate()
        Wire.carry(client, server)
        // OpenSSL's client takes the refusal hard.
        #expect(server.outcome == .failed(.refusedByPeer))
        #expect(!client.isEstablished)
    }

    @Test func `renegotiation asked for without end is a flood`() throws {
        let (client, server) = try foreign(TLS1_2_VERSION)
        client.renegotiate()
        let request = client.outbox
        for _ in 0..<2_000 where server.outcome == .open { server.take(request) }
        #expect(server.outcome != .open)
    }

    @Test func `a few key updates are followed`() throws {
        let (client, server) = try foreign(TLS1_3_VERSION)
        for round in 0..<8 {
            client.updateKeys()
            client.say([UInt8(round)])
            Wire.carry(client, server)
            try server.say([UInt8(round)])
            Wire.carry(client, server)
        }
        #expect(server.inbox == Array(0..<8))
        #expect(client.inbox == Array(0..<8))
        #expect(server.outcome == .open)
    }

    @Test(arguments: [1, 100])
    func `key updates without end are a flood`(atOnce: Int) throws {
        let (client, server) = try foreign(TLS1_3_VERSION)
        var updates = 0
        while server.outcome == .open, updates < 1000 {
            for _ in 0..<atOnce { client.updateKeys() }
            updates += atOnce
            server.take(client.outbox)
            client.outbox = []
            // Never more than a few answers, and no work without end in one call.
            #expect(server.outbox.count < 10_000)
            server.outbox = []
        }
        #expect(server.outcome == .failed(.flood))
        #expect(updates >= 10)
    }

    @Test func `data between them makes room for more key updates`() throws {
        let (client, server) = try foreign(TLS1_3_VERSION)
        for _ in 0..<50 {
            for _ in 0..<4 { client.updateKeys() }
            client.say([UInt8](repeating: 7, count: 300_000))
            Wire.carry(client, server)
        }
        #expect(server.outcome == .open)
        #expect(server.inbox.count == 15_000_000)
    }
}

@Suite struct TLSLimitsTests {
    @Test(arguments: [0, 1, 2, 3, 4] as [UInt8], [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a message fits however small the records are to be`(
        smallRecords: UInt8, version: Int32
    ) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: version, smallRecords: smallRecords))
        Wire.carry(client, server)
        let answer = [UInt8](repeating: 5, count: 300_000)
        try server.say(answer)
        try server.say(answer, room: TLSLimits.sealRoomBytes)
        try server.say(answer, room: 65_537)
        let longest = smallRecords == 0 ? 16_384 : 256 << Int(smallRecords)
        #expect(Int(server.outbox[3]) << 8 + Int(server.outbox[4]) <= longest + 24)
        Wire.carry(client, server)
        #expect(client.inbox.count == 900_000)
    }

    private static let sizes = [1, 2, 16_383, 16_384, 16_385, 32_768, 32_769, 262_144, 2_000_000]

    /// `say` and `take` give exactly the room that the limits ask for.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `the room asked for is enough for any message`(version: Int32) throws {
        for size in Self.sizes {
            let server = try TLSEnd(Contexts.server())
            let client = try ForeignClient(.init(version: version))
            Wire.carry(client, server)
            // An answer to it waits and goes out before the message.
            if version == TLS1_3_VERSION { client.updateKeys() }
            client.say([UInt8](repeating: 3, count: size))
            Wire.carry(client, server, by: 5_000)
            try server.say([UInt8](repeating: 4, count: size))
            Wire.carry(client, server, by: 16_400)
            #expect(server.inbox.count == size)
            #expect(client.inbox.count == size)
        }
    }
}
