// What both sides agree on: version, cipher, application protocol; and what is refused.

import COpenSSL
import TLS
import Testing

@Suite struct NegotiationTests {
    @Test(arguments: [
        ("\u{2}h2\u{8}http/1.1", true, "h2"), ("\u{8}http/1.1\u{2}h2", true, "h2"),
        ("\u{8}http/1.1", true, "http/1.1"), ("\u{2}h2\u{8}http/1.1", false, "http/1.1"),
        ("\u{3}foo\u{2}h2", true, "h2"), ("", true, ""),
    ])
    func `the server prefers h2, then http 1`(
        offer: String, offersHTTP2: Bool, chosen: String
    ) throws {
        let server = try TLSEnd(Contexts.server(offersHTTP2: offersHTTP2))
        let client = try ForeignClient(.init(protocols: Array(offer.utf8)))
        Wire.carry(client, server)
        #expect(client.protocolName == chosen)
        #expect(server.session.negotiated == (chosen == "h2" ? .http2 : .http1))
    }

    @Test(arguments: [("\u{3}foo", true), ("\u{2}h2", false), ("\u{6}spdy/1", true)])
    func `a client that speaks nothing of ours is refused`(
        offer: String, offersHTTP2: Bool
    ) throws {
        let server = try TLSEnd(Contexts.server(offersHTTP2: offersHTTP2))
        let client = try ForeignClient(.init(protocols: Array(offer.utf8)))
        Wire.carry(client, server)
        #expect(server.outcome == .failed(.noProtocolInCommon))
        #expect(!client.isEstablished)
    }

    @Test(arguments: [
        (false, true, TLSProtocol.http1), (true, true, .http2), (true, false, .http2),
    ])
    func `our client offers what it is told to`(
        offersHTTP2: Bool, offersHTTP1: Bool, agreed: TLSProtocol
    ) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try TLSEnd(
            Contexts.client(offersHTTP2: offersHTTP2, offersHTTP1: offersHTTP1),
            to: "model.example")
        Wire.carry(client, server)
        #expect(client.session.negotiated == agreed)
        #expect(server.session.negotiated == agreed)
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func `older versions are refused with an alert`(version: Int32) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: version))
        Wire.carry(client, server)
        #expect(server.outcome == .failed(.unsupportedVersion))
        #expect(server.fault?.description == "unsupported protocol")
        #expect(!client.isEstablished)
    }

    @Test(arguments: [(TLS1_2_VERSION, TLSVersion.tls12), (TLS1_3_VERSION, .tls13)])
    func `both good versions are spoken with a good cipher`(
        number: Int32, version: TLSVersion
    ) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: number))
        Wire.carry(client, server)
        #expect(server.session.version == version)
        #expect(client.version == number)
        #expect(
            server.cipher
                == (version == .tls13
                    ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256"))
    }

    @Test(arguments: ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES256-GCM-SHA384"])
    func `ciphers without forward secrecy or authentication are refused`(name: String) throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(.init(version: TLS1_2_VERSION, ciphers: name))
        Wire.carry(client, server)
        #expect(server.outcome == .failed(.nothingInCommon))
    }

    @Test func `a client without AES in hardware gets ChaCha20`() throws {
        let server = try TLSEnd(Contexts.server())
        let client = try ForeignClient(
            .init(
                version: TLS1_2_VERSION,
                ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"))
        Wire.carry(client, server)
        #expect(server.cipher == "ECDHE-ECDSA-CHACHA20-POLY1305")
    }
}
