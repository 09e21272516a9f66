// Sessions resumed by tickets: across contexts and changes of keys, and not beyond; and when a
// ticket is made.

import COpenSSL
import TLS
import Testing

@Suite struct TicketTests {
    /// A client that has visited once, and has its ticket.
    private func visitor(_ context: TLSServerContext, _ version: Int32) throws -> ForeignClient {
        let client = try ForeignClient(.init(version: version, serverName: "model.example"))
        Wire.carry(client, try TLSEnd(context))
        try #require(client.isEstablished && !client.isResumed)
        return client
    }

    private func comesBack(_ earlier: ForeignClient, to context: TLSServerContext) throws -> Bool {
        let server = try TLSEnd(context)
        let client = try ForeignClient(
            .init(version: earlier.version, serverName: "model.example", resumes: earlier))
        Wire.carry(client, server)
        try #require(client.isEstablished)
        #expect(server.session.isResumed == client.isResumed)
        return client.isResumed
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a session is resumed under another context of the same keys`(version: Int32) throws {
        let tickets = TLSTicketKeys()
        let before = try Contexts.server(tickets: tickets)
        let after = try Contexts.server(Contexts.identity("model.example"), tickets: tickets)
        let client = try visitor(before, version)
        #expect(try comesBack(client, to: before))
        #expect(try comesBack(client, to: after))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `two changes of keys are survived, three are not`(version: Int32) throws {
        let tickets = TLSTicketKeys()
        let context = try Contexts.server(tickets: tickets)
        let client = try visitor(context, version)
        for _ in 0..<2 {
            tickets.rotate()
            #expect(try comesBack(client, to: context))
        }
        tickets.rotate()
        #expect(try !comesBack(client, to: context))
        for _ in 0..<9 { tickets.rotate() }
        #expect(try !comesBack(client, to: context))
        #expect(try comesBack(visitor(context, version), to: context))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `keys of another process open nothing`(version: Int32) throws {
        let client = try visitor(Contexts.server(), version)
        #expect(try !comesBack(client, to: Contexts.server()))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a process that got the keys resumes sessions, old keys' too`(version: Int32) throws {
        let tickets = TLSTicketKeys(now: 5)
        let earlier = try visitor(Contexts.server(tickets: tickets), version)
        tickets.rotate(now: 7)
        let later = try visitor(Contexts.server(tickets: tickets), version)
        let heir = TLSTicketKeys(tickets.passed)
        #expect(heir.passed == tickets.passed && heir.lastRotation == 7)
        #expect(tickets.passed.keys.count == 2)
        let context = try Contexts.server(tickets: heir)
        #expect(try comesBack(earlier, to: context))
        #expect(try comesBack(later, to: context))
    }

    @Test func `keys that are none are replaced by a fresh one`() throws {
        let heir = TLSTicketKeys(PassedTicketKeys(keys: [[1, 2, 3]], rotated: 0))
        #expect(heir.passed.keys.count == 1 && heir.passed.keys[0].count == 80)
        let context = try Contexts.server(tickets: heir)
        #expect(try comesBack(visitor(context, TLS1_3_VERSION), to: context))
    }

    @Test func `a ticket is not a way around another authority`() throws {
        let tickets = TLSTicketKeys()
        let issuer = try authority.get()
        let open = try Contexts.server(tickets: tickets)
        let asking = try Contexts.server(
            clients: .optional(TLSAuthorities(issuer.file)), tickets: tickets)
        let client = try visitor(open, TLS1_3_VERSION)
        #expect(try !comesBack(client, to: asking))
        #expect(try comesBack(client, to: open))
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a ticket is owed once, and only where the handshake has not brought it`(
        version: Int32
    ) throws {
        let (server, client) = (try TLSEnd(Contexts.server()), try ForeignClient())
        unsafe SSL_ctrl(client.session, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        var room = [UInt8](repeating: 0, count: TLSLimits.replyBytes)
        func owed() throws -> Int {
            try unsafe room.withUnsafeMutableBytes {
                try unsafe server.session.sendTicket(into: $0)
            }
        }
        #expect(try owed() == 0)
        Wire.carry(client, server)
        try #require(client.isEstablished && client.version == version)
        #expect((server.ticketBytes > 0) == (version == TLS1_3_VERSION))
        #expect(try owed() == 0)
        // What follows it arrives.
        try server.say("answer")
        Wire.carry(client, server)
        #expect(client.inbox == Array("answer".utf8))
        client.say(Array("question".utf8))
        Wire.carry(client, server)
        #expect(server.heard == "question")
    }

    @Test func `keys change while they are being read`() throws {
        let tickets = TLSTicketKeys()
        let context = try Contexts.server(tickets: tickets)
        for _ in 0..<50 {
            let client = try visitor(context, TLS1_3_VERSION)
            tickets.rotate()
            #expect(try comesBack(client, to: context))
        }
    }
}
