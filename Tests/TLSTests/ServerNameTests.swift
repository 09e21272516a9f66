// Which certificate a client is shown, by the name it asks for.

import TLS
import Testing

@Suite struct ServerNameTests {
    private static let context = Result {
        try Contexts.server(
            Contexts.identity("first.example"),
            Contexts.identity("a.example", "*.wild.example"),
            Contexts.identity("exact.wild.example", "A.Example", "UPPER.example"),
            Contexts.identity("*.deep.wild.example", "f*.part.example", "*", "*.*.stars.example"))
    }

    @Test(
        arguments: [
            (nil, "first.example"),
            ("first.example", "first.example"),
            ("unknown.example", "first.example"),
            ("a.example", "a.example"),
            ("A.eXAMPLE", "a.example"),
            ("upper.example", "exact.wild.example"),
            ("any.wild.example", "a.example"),
            ("exact.wild.example", "exact.wild.example"),
            ("wild.example", "first.example"),
            ("one.two.wild.example", "first.example"),
            ("one.deep.wild.example", "*.deep.wild.example"),
            ("deep.wild.example", "a.example"),
            ("foo.part.example", "first.example"),
            ("single", "first.example"),
            ("a.b.stars.example", "first.example"),
            (".wild.example", "first.example"),
            ("*.wild.example", "a.example"),
        ] as [(String?, String)])
    func `a name finds the certificate made for it`(name: String?, shown: String) throws {
        let server = try TLSEnd(Self.context.get())
        let client = try ForeignClient(.init(serverName: name))
        Wire.carry(client, server)
        #expect(client.shownName == shown)
        #expect(server.serverName == name ?? "")
        #expect(server.session.isEstablished)
    }

    @Test(arguments: [TLSVersion.tls12, .tls13])
    func `both versions are shown the same`(version: TLSVersion) throws {
        let server = try TLSEnd(Self.context.get())
        let client = try ForeignClient(
            .init(version: version == .tls12 ? 0x303 : 0x304, serverName: "x.wild.example"))
        Wire.carry(client, server)
        #expect(server.session.version == version)
        #expect(client.shownName == "a.example")
    }

    @Test func `the common name counts where there is no other`() throws {
        let issuer = try authority.get()
        let old = try issuer.issue(Wish(subject: [("CN", "old.example")]))
        let new = try issuer.issue(Wish("DNS:new.example", subject: [("CN", "other.example")]))
        let context = try Contexts.server(Contexts.identity("first.example"), old, new)
        for (name, shown) in [
            ("old.example", "old.example"), ("new.example", "other.example"),
            ("other.example", "first.example"),
        ] {
            let client = try ForeignClient(.init(serverName: name))
            Wire.carry(client, try TLSEnd(context))
            #expect(client.shownName == shown)
        }
    }

    @Test func `a session keeps its context alive`() throws {
        let server = try TLSEnd(
            Contexts.server(Contexts.identity("first.example"), Contexts.identity("b.example")))
        let client = try ForeignClient(.init(serverName: "b.example"))
        Wire.carry(client, server)
        #expect(client.shownName == "b.example")
    }

    @Test func `of a thousand names each finds its own`() throws {
        var wish = Wish(subject: [("CN", "many")])
        wish.names = (0..<1000).map { "DNS:n\($0).example" }
        let many = try authority.get().issue(wish)
        let context = try Contexts.server(Contexts.identity("first.example"), many)
        for name in ["n0.example", "n7.example", "n499.example", "n999.example", "n1000.example"] {
            let client = try ForeignClient(.init(serverName: name))
            Wire.carry(client, try TLSEnd(context))
            #expect(client.shownName == (name == "n1000.example" ? "first.example" : "many"))
        }
    }
}
