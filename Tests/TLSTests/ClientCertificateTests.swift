// Clients that show certificates: let in, turned away, and what is told about them. Both ends are
// ours; what other clients do differently is in the other files.

import COpenSSL
import Testing

@testable import TLS

@Suite struct ClientCertificateTests {
    private func meet(
        _ clients: TLSClientAuthentication, _ identity: TLSIdentity?
    ) throws -> (client: TLSEnd, server: TLSEnd) {
        let server = try TLSEnd(Contexts.server(clients: clients))
        let client = try TLSEnd(Contexts.client(identity: identity), to: "model.example")
        Wire.carry(client, server)
        return (client, server)
    }

    private func trusted() throws -> TLSAuthorities { try TLSAuthorities(authority.get().file) }

    @Test func `a client is known by its certificate`() throws {
        let identity = try authority.get().issue(
            Wish(subject: [("O", "Example"), ("OU", "Ops, \"A+B\""), ("CN", "caller")]))
        for clients in [
            TLSClientAuthentication.required(try trusted()), .optional(try trusted()),
        ] {
            let (_, server) = try meet(clients, identity)
            #expect(server.session.isEstablished)
            #expect(server.session.hasPeerCertificate)
            #expect(server.peerSubject == #"CN=caller,OU=Ops\, \"A\+B\",O=Example"#)
            #expect(server.peerFingerprint?.count == 64)
        }
    }

    @Test func `the fingerprint is that of the certificate`() throws {
        let file = try authority.get().file
        let first = try meet(.required(trusted()), Contexts.identity("one"))
        let again = try meet(.required(trusted()), Contexts.identity("one"))
        #expect(first.server.peerFingerprint != again.server.peerFingerprint)
        #expect(first.server.peerFingerprint?.allSatisfy(\.isHexDigit) == true)
        #expect(file.path.hasSuffix(".pem"))
    }

    @Test func `a subject cannot break out of a header`() throws {
        let identity = try authority.get().issue(
            Wish(subject: [("CN", "a\r\nx-admin: 1\u{0}é")]))
        let (_, server) = try meet(.required(trusted()), identity)
        let subject = try #require(server.peerSubject)
        #expect(subject == #"CN=a\0D\0Ax-admin: 1\00\C3\A9"#)
    }

    @Test func `a subject that is too long is none`() throws {
        let many = (0..<30).map { ("OU", String(repeating: "x", count: 60) + "\($0)") }
        let identity = try authority.get().issue(Wish(subject: many + [("CN", "caller")]))
        let (_, server) = try meet(.required(trusted()), identity)
        #expect(server.session.isEstablished)
        #expect(server.peerSubject == nil)
        #expect(server.peerFingerprint != nil)
    }

    @Test func `a client without a certificate is refused where one is required`() throws {
        let (client, server) = try meet(.required(trusted()), nil)
        #expect(server.outcome == .failed(.missingCertificate))
        // In TLS 1.3 it learns of it after its own handshake.
        #expect(client.outcome == .failed(.refusedByPeer))
    }

    @Test func `and served where it is optional`() throws {
        let (_, server) = try meet(.optional(trusted()), nil)
        #expect(server.session.isEstablished)
        #expect(!server.session.hasPeerCertificate)
        #expect(server.peerSubject == nil)
        #expect(server.peerFingerprint == nil)
    }

    @Test func `a certificate is not asked for where none is wanted`() throws {
        let (_, server) = try meet(.none, Contexts.identity("caller"))
        #expect(server.session.isEstablished)
        #expect(!server.session.hasPeerCertificate)
    }

    @Test(arguments: [true, false])
    func `another authority's certificate is refused`(isRequired: Bool) throws {
        let stranger = try Authority("Stranger").issue(Wish(subject: [("CN", "caller")]))
        let (_, server) = try meet(
            isRequired ? .required(trusted()) : .optional(trusted()), stranger)
        #expect(server.outcome == .failed(.untrustedPeer))
        #expect(server.fault?.description == "unable to get local issuer certificate")
    }

    @Test func `an expired certificate is refused`() throws {
        var wish = Wish(subject: [("CN", "caller")])
        wish.until = 1_600_000_000
        let (_, server) = try meet(.optional(trusted()), authority.get().issue(wish))
        #expect(server.outcome == .failed(.untrustedPeer))
        #expect(server.fault?.description == "certificate has expired")
    }

    @Test func `a resumed client is still known`() throws {
        let context = try Contexts.server(clients: .required(trusted()))
        let clients = try Contexts.client(identity: Contexts.identity("caller"))
        let name = try #require(TLSPeerName("model.example"))
        for isResumed in [false, true, true] {
            let (client, server) = (try TLSEnd(clients, to: name), try TLSEnd(context))
            Wire.carry(client, server)
            #expect(server.session.isResumed == isResumed)
            #expect(server.peerSubject == "CN=caller")
        }
    }

    /// Authorities that let in what has run out, as it will have when a client comes back.
    private func timeless() throws -> TLSAuthorities {
        let authorities = try trusted()
        unsafe X509_STORE_set_flags(authorities.store, UInt(X509_V_FLAG_NO_CHECK_TIME))
        return authorities
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a session ends with the client's certificate`(version: Int32) throws {
        var wish = Wish(subject: [("CN", "caller")])
        for isExpired in [false, true] {
            if isExpired { wish.until = 1_600_000_000 }
            let identity = try authority.get().issue(wish)
            let context = try Contexts.server(clients: .required(timeless()))
            var earlier: ForeignClient?
            for isResumed in [false, !isExpired, !isExpired] {
                let client = try ForeignClient(
                    .init(version: version, identity: identity, resumes: earlier))
                let server = try TLSEnd(context)
                Wire.carry(client, server)
                #expect(server.session.isEstablished && server.session.isResumed == isResumed)
                #expect(server.peerSubject == "CN=caller")
                earlier = client
            }
        }
    }

    @Test(arguments: [true, false])
    func `a session with a replica ends with its certificate`(verifies: Bool) throws {
        var wish = Wish("DNS:model.example")
        wish.until = 1_600_000_000
        let context = try Contexts.server(authority.get().issue(wish))
        let settings = TLSClientSettings(authorities: verifies ? try timeless() : nil)
        let clients = try TLSClientContext(settings, loops: 1, now: nil)
        let name = try #require(TLSPeerName("model.example"))
        for isResumed in [false, !verifies] {
            let (client, server) = (try TLSEnd(clients, to: name), try TLSEnd(context))
            Wire.carry(client, server)
            #expect(client.session.isEstablished && client.session.isResumed == isResumed)
        }
    }

    @Test func `a long list of authorities is trusted, though not announced`() throws {
        let authorities = try (0..<300).map { try Authority("Authority number \($0) of many") }
        let all = TLSFile(path: "all.pem", content: authorities.flatMap(\.file.content))
        let identity = try authorities[299].issue(Wish(subject: [("CN", "caller")]))
        let (_, server) = try meet(.required(TLSAuthorities(all)), identity)
        #expect(server.peerSubject == "CN=caller")
    }
}
