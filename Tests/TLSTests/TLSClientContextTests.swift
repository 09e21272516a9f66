// Replicas verified: by name, address, authority and time; sessions with them resumed. The server
// at the other end is ours.

import TLS
import Testing

@Suite struct TLSClientContextTests {
    private func meet(
        _ name: String, _ identity: TLSIdentity, trusting: Authority? = nil
    ) throws -> TLSEnd {
        let client = try TLSEnd(Contexts.client(trusting: trusting), to: name)
        Wire.carry(client, try TLSEnd(Contexts.server(identity)))
        return client
    }

    @Test(arguments: [
        ("model.example", "DNS:model.example"), ("MODEL.example", "DNS:model.example"),
        ("a.model.example", "DNS:*.model.example"), ("127.0.0.1", "IP:127.0.0.1"),
        ("::1", "IP:::1"), ("0:0:0:0:0:0:0:1", "IP:::1"),
    ])
    func `a replica with the right name is trusted`(name: String, proof: String) throws {
        let client = try meet(name, authority.get().issue(Wish(proof)))
        #expect(client.session.isEstablished, "\(String(describing: client.fault))")
    }

    @Test(arguments: [
        ("model.example", "DNS:other.example", "hostname mismatch"),
        ("a.b.model.example", "DNS:*.model.example", "hostname mismatch"),
        ("model.example", "DNS:*.example.model", "hostname mismatch"),
        ("foo.example", "DNS:f*.example", "hostname mismatch"),
        ("127.0.0.1", "IP:127.0.0.2", "IP address mismatch"),
        ("127.0.0.1", "DNS:127.0.0.1", "IP address mismatch"),
        ("::1", "IP:127.0.0.1", "IP address mismatch"),
    ])
    func `a replica with another name is not`(name: String, proof: String, why: String) throws {
        let client = try meet(name, authority.get().issue(Wish(proof)))
        #expect(client.outcome == .failed(.untrustedPeer))
        #expect(client.fault?.description == why)
    }

    @Test func `a common name proves nothing`() throws {
        let identity = try authority.get().issue(Wish(subject: [("CN", "model.example")]))
        #expect(try meet("model.example", identity).outcome == .failed(.untrustedPeer))
    }

    @Test func `an unknown authority is not trusted`() throws {
        let client = try meet(
            "model.example", Contexts.plain(), trusting: Authority("Somebody Else"))
        #expect(client.outcome == .failed(.untrustedPeer))
        #expect(client.fault?.description == "unable to get local issuer certificate")
    }

    @Test func `an expired certificate is not trusted`() throws {
        var wish = Wish("DNS:model.example")
        wish.until = 1_600_000_000
        let client = try meet("model.example", authority.get().issue(wish))
        #expect(client.outcome == .failed(.untrustedPeer))
        #expect(client.fault?.description == "certificate has expired")
    }

    @Test func `without verification anybody will do`() throws {
        let context = try TLSClientContext(
            TLSClientSettings(authorities: nil), loops: 1, now: nil)
        let client = try TLSEnd(context, to: "model.example")
        let stranger = try Authority("Stranger").issue(Wish("DNS:other.example"))
        let server = try TLSEnd(Contexts.server(stranger))
        Wire.carry(client, server)
        #expect(client.session.isEstablished)
        #expect(server.serverName == "model.example")
    }

    @Test func `a name is asked for, an address is not`() throws {
        for (name, asked) in [("model.example", "model.example"), ("127.0.0.1", "")] {
            let client = try TLSEnd(Contexts.client(), to: name)
            let server = try TLSEnd(Contexts.server())
            Wire.carry(client, server)
            #expect(client.session.isEstablished)
            #expect(server.serverName == asked)
        }
    }

    @Test(arguments: ["", "a b", "a\u{0}b", String(repeating: "a", count: 254), "é.example"])
    func `what is no name is none`(text: String) {
        #expect(TLSPeerName(text) == nil)
    }

    @Test func `sessions are resumed under their own name only, each once`() throws {
        let (clients, servers) = (try Contexts.client(), try Contexts.server())
        let name = try #require(TLSPeerName("model.example"))
        let other = try #require(TLSPeerName("model.example"))
        func visit(_ name: TLSPeerName) throws -> Bool {
            let (client, server) = (try TLSEnd(clients, to: name), try TLSEnd(servers))
            Wire.carry(client, server)
            #expect(client.session.isEstablished)
            return client.session.isResumed
        }
        #expect(try visit(name) == false)
        #expect(try visit(other) == false)
        #expect(try visit(name))
        #expect(try visit(name))
        #expect(try visit(other))
        // Two at once: there is one ticket.
        let both = [try TLSEnd(clients, to: name), try TLSEnd(clients, to: name)]
        for client in both { Wire.carry(client, try TLSEnd(servers)) }
        #expect(both.map { $0.session.isResumed } == [true, false])
    }

    @Test func `of many names the last are remembered`() throws {
        let (clients, servers) = (try Contexts.client(), try Contexts.server())
        let names = (0..<40).compactMap { _ in TLSPeerName("model.example") }
        for name in names { Wire.carry(try TLSEnd(clients, to: name), try TLSEnd(servers)) }
        let resumed = try names.reversed().map { name in
            let client = try TLSEnd(clients, to: name)
            Wire.carry(client, try TLSEnd(servers))
            return client.session.isResumed
        }
        #expect(resumed == names.indices.map { $0 < 32 })
    }

    @Test func `the system's authorities do not trust ours`() throws {
        let context: TLSClientContext
        do {
            context = try TLSClientContext(
                TLSClientSettings(authorities: try .ofSystem()), loops: 1, now: nil)
        } catch TLSSetupError.noSystemAuthorities {
            return
        }
        let client = try TLSEnd(context, to: "model.example")
        Wire.carry(client, try TLSEnd(Contexts.server()))
        #expect(client.outcome == .failed(.untrustedPeer))
    }
}
