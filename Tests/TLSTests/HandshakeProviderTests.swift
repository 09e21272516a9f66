// Handshakes by OpenSSL's own algorithms and by our provider's: each understands the other, in both
// versions and on either side, and what must be refused is refused by both.

import COpenSSL
import Handshakes
import TLS
import Testing

/// Queries for one provider or the other. Whoever asks for ours loads it.
enum Providers {
    static let openSSL = "?provider=default"
    static let ours = "?provider=\(HandshakeProvider.name ?? "missing")"
}

@Suite struct HandshakeProviderTests {
    static let names = ["default", HandshakeProvider.name ?? "missing"]

    private func server(_ provider: String) throws -> TLSServerContext {
        var settings = TLSServerSettings(identities: [try Contexts.plain()])
        settings.algorithms = .preferring(provider: provider)
        return try TLSServerContext(settings, tickets: TLSTicketKeys(), now: nil)
    }

    private func client(_ provider: String) throws -> TLSClientContext {
        var settings = TLSClientSettings(
            authorities: try TLSAuthorities(authority.get().file))
        settings.algorithms = .preferring(provider: provider)
        return try TLSClientContext(settings, loops: 1, now: nil)
    }

    @Test func `the provider can be loaded`() {
        #expect(HandshakeProvider.name == "penstock")
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], names)
    func `libssl agrees by the provider that is preferred`(version: Int32, name: String) throws {
        #expect(try shareHolder(version, "?provider=\(name)") == name)
    }

    @Test func `whoever prefers nothing keeps to OpenSSL's own`() throws {
        try #require(HandshakeProvider.name != nil)
        #expect(try shareHolder(TLS1_3_VERSION, nil) == "default")
    }

    /// Who has the server's share, after a handshake of a client that asks by `query`.
    private func shareHolder(_ version: Int32, _ query: String?) throws -> String? {
        let foreign = try ForeignClient(.init(version: version, query: query))
        Wire.carry(foreign, try TLSEnd(Contexts.server()))
        try #require(foreign.isEstablished)
        guard let name = unsafe penstock_ssl_peer_share_provider(foreign.session) else {
            return nil
        }
        return unsafe String(cString: name)
    }

    @Test func `contexts look algorithms up by what they prefer`() throws {
        // A demand that nothing meets shows that it has reached OpenSSL.
        let nobody = "default,offered=nowhere"
        #expect(throws: TLSSetupError.self) { try server(nobody) }
        #expect(throws: TLSSetupError.self) { try client(nobody) }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], names)
    func `a server that prefers a provider agrees with any client`(
        version: Int32, name: String
    ) throws {
        let context = try server(name)
        let foreign = try ForeignClient(.init(version: version))
        let end = try TLSEnd(context)
        Wire.carry(foreign, end)
        try #require(foreign.isEstablished, "\(String(describing: end.fault))")
        let again = try ForeignClient(.init(version: version, resumes: foreign))
        let second = try TLSEnd(context)
        Wire.carry(again, second)
        #expect(again.isResumed && second.session.isResumed)
        again.say(Array("hello".utf8))
        second.take(again.outbox)
        #expect(second.heard == "hello")
    }

    @Test(arguments: names, names)
    func `both sides agree, whoever computes`(ofServer: String, ofClient: String) throws {
        let (ours, theirs) = (try server(ofServer), try client(ofClient))
        let name = try #require(TLSPeerName("model.example"))
        for isResumed in [false, true] {
            let (front, back) = (try TLSEnd(ours), try TLSEnd(theirs, to: name))
            Wire.carry(back, front)
            try #require(back.session.isEstablished, "\(String(describing: back.fault))")
            #expect(front.session.isResumed == isResumed)
            try back.say("question")
            front.take(back.outbox)
            #expect(front.heard == "question")
        }
    }

    /// RFC 7748 6.1: the points of small order, which lead to a secret of zeros.
    @Test(
        arguments: names,
        [
            [], [1],
            [
                0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
                0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
                0x5f, 0x49, 0xb8, 0x00,
            ],
            [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
            [0xed] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        ])
    func `a share that leads to zeros is refused`(name: String, point: [UInt8]) throws {
        let share = point + [UInt8](repeating: 0, count: 32 - point.count)
        let end = try TLSEnd(server(name))
        let foreign = try ForeignClient(.init(version: TLS1_3_VERSION))
        foreign.take([])
        try foreign.replaceShare(with: share)
        end.take(foreign.outbox)
        guard case .failed = end.outcome else {
            Issue.record("the server went on")
            return
        }
        #expect(end.outbox.first == 21, "an alert, nothing else")
    }

    @Test(arguments: names, [0, 31, 33])
    func `a share of another length is refused`(name: String, count: Int) throws {
        let key = try unsafe blank(name)
        defer { unsafe EVP_PKEY_free(key) }
        let share = [UInt8](repeating: 9, count: count)
        #expect(unsafe EVP_PKEY_set1_encoded_public_key(key, share, count) != 1)
        ERR_clear_error()
    }

    @Test func `many threads shake hands at once`() async throws {
        let name = try #require(HandshakeProvider.name)
        let ours = try server(name)
        let peer = try #require(TLSPeerName("model.example"))
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    // What a client remembers belongs to a loop, that is to one thread.
                    let theirs = try client(name)
                    return try (0..<40).count { _ in
                        let (front, back) = (try TLSEnd(ours), try TLSEnd(theirs, to: peer))
                        Wire.carry(back, front)
                        return back.session.isEstablished && front.session.isEstablished
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(done == 320)
    }

    /// A key of the group with neither half, as libssl makes for a peer.
    private func blank(_ provider: String) throws -> OpaquePointer {
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "X25519", "?provider=\(provider)")
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        try #require(unsafe EVP_PKEY_paramgen_init(context) == 1)
        try #require(unsafe EVP_PKEY_CTX_set_group_name(context, "x25519") == 1)
        try #require(unsafe EVP_PKEY_paramgen(context, &key) == 1)
        return unsafe try #require(unsafe key)
    }
}

extension ForeignClient {
    /// Puts another key into the first message, where it stands behind its group and length.
    fileprivate func replaceShare(with share: [UInt8]) throws {
        let mark: [UInt8] = [0x00, 0x1d, 0x00, 0x20]
        let starts = outbox.indices.dropLast(mark.count + share.count - 1)
        let place = try #require(starts.first { outbox[$0..<($0 + 4)].elementsEqual(mark) })
        outbox.replaceSubrange((place + 4)..<(place + 36), with: share)
    }
}
