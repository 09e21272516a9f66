// Certificates and keys that cannot be used are refused by name, before anybody connects. All are
// made in memory; only reading a file is tried with files, those that are there anyway.

import TLS
import Testing

@Suite struct SetupTests {
    private let now: Int64 = 1_700_000_000

    private func refusal(
        _ identities: TLSIdentity..., at now: Int64? = nil
    ) -> TLSSetupError? {
        let settings = TLSServerSettings(identities: identities)
        do {
            _ = try TLSServerContext(settings, tickets: TLSTicketKeys(), now: now ?? self.now)
            return nil
        } catch {
            return error
        }
    }

    private func identity(_ certificate: TLSFile?, _ key: TLSFile?) throws -> TLSIdentity {
        let good = try Contexts.plain()
        return TLSIdentity(certificate: certificate ?? good.certificate, key: key ?? good.key)
    }

    private func file(_ path: String, _ text: String) -> TLSFile {
        TLSFile(path: path, content: Array(text.utf8))
    }

    @Test func `what is right is taken`() throws {
        #expect(try refusal(Contexts.plain()) == nil)
        // A key and its certificate may share a file.
        let good = try Contexts.plain()
        let both = TLSFile(path: "both", content: good.key.content + good.certificate.content)
        #expect(refusal(TLSIdentity(certificate: both, key: both)) == nil)
    }

    @Test func `text that is no PEM is refused`() throws {
        let noise = file("noise", "certificate? none here")
        #expect(try refusal(identity(noise, nil)) == .noCertificate(path: "noise"))
        #expect(try refusal(identity(nil, noise)) == .noKey(path: "noise"))
        let empty = file("empty", "")
        #expect(try refusal(identity(empty, nil)) == .noCertificate(path: "empty"))
        #expect(try refusal(identity(nil, empty)) == .noKey(path: "empty"))
    }

    @Test func `certificate and key changed places`() throws {
        let good = try Contexts.plain()
        let swapped = TLSIdentity(certificate: good.key, key: good.certificate)
        #expect(refusal(swapped) == .noCertificate(path: "server.key"))
        #expect(try refusal(identity(nil, good.certificate)) == .noKey(path: "server.pem"))
    }

    @Test func `damage is told from absence`() throws {
        let good = try Contexts.plain()
        var cut = good.certificate.content
        cut.removeLast(200)
        guard
            case .malformed(let path, _)? = try refusal(
                identity(TLSFile(path: "cut.pem", content: good.certificate.content + cut), nil))
        else {
            Issue.record("a damaged second certificate was taken")
            return
        }
        #expect(path == "cut.pem")
        var key = good.key.content
        key[60] = UInt8(ascii: "*")
        guard case .malformed? = try refusal(identity(nil, TLSFile(path: "k", content: key)))
        else {
            Issue.record("a damaged key was taken")
            return
        }
    }

    @Test func `a key that is not the certificate's is refused`() throws {
        let other = try Contexts.identity("other")
        let rsa = try authority.get().issue(rsa(bits: 2048), path: "rsa")
        #expect(
            try refusal(identity(nil, other.key))
                == .keyDoesNotFit(key: "other.key", certificate: "server.pem"))
        #expect(
            try refusal(identity(nil, rsa.key))
                == .keyDoesNotFit(key: "rsa.key", certificate: "server.pem"))
        #expect(refusal(rsa) == nil)
    }

    private func rsa(bits: Int) -> Wish {
        var wish = Wish("DNS:rsa.example")
        wish.key = .rsa(bits)
        return wish
    }

    @Test func `a key under a passphrase is refused`() throws {
        let key = Authority.encryptedKey(path: "locked.key")
        #expect(try refusal(identity(nil, key)) == .encryptedKey(path: "locked.key"))
    }

    @Test func `a certificate out of its time is refused`() throws {
        #expect(
            try refusal(Contexts.plain(), at: 5_000_000_000)
                == .expired(path: "server.pem", since: "Jan  1 00:00:00 2120 GMT"))
        #expect(
            try refusal(Contexts.plain(), at: 1_500_000_000)
                == .notYetValid(path: "server.pem", until: "Jan  1 00:00:00 2020 GMT"))
        let settings = TLSServerSettings(identities: [try Contexts.plain()])
        _ = try TLSServerContext(settings, tickets: TLSTicketKeys(), now: nil)
    }

    @Test func `weak keys and signatures are refused`() throws {
        let short = try authority.get().issue(rsa(bits: 1024), path: "short")
        #expect(refusal(short) == .tooWeak(path: "short.pem", reason: "ee key too small"))
        var wish = Wish("DNS:old.example")
        wish.usesSHA1 = true
        let old = try authority.get().issue(wish, path: "old")
        #expect(refusal(old) == .tooWeak(path: "old.pem", reason: "ca md too weak"))
    }

    @Test func `one of several needs a name`() throws {
        let nameless = try authority.get().issue(Wish("IP:127.0.0.1"), path: "nameless")
        #expect(refusal(nameless) == nil)
        #expect(
            try refusal(Contexts.plain(), nameless) == .nameless(path: "nameless.pem"))
    }

    @Test func `the second of several is examined as the first`() throws {
        let other = try Contexts.identity("other")
        #expect(
            try refusal(Contexts.plain(), identity(other.certificate, nil))
                == .keyDoesNotFit(key: "server.key", certificate: "other.pem"))
    }

    @Test func `a chain that is too long is refused`() throws {
        let good = try Contexts.plain()
        let long = TLSFile(
            path: "long",
            content: Array(
                repeatElement(good.certificate.content, count: 200)
                    .joined()))
        #expect(
            try refusal(identity(long, nil)) == .tooLarge(path: "long", bytesMax: 64 * 1024))
    }

    @Test func `authorities are examined, too`() throws {
        let noise = file("ca.pem", "nobody")
        #expect(throws: TLSSetupError.noCertificate(path: "ca.pem")) {
            try TLSAuthorities(noise)
        }
        // Twice the same is no fault.
        let once = try authority.get().file
        _ = try TLSAuthorities(TLSFile(path: "twice", content: once.content + once.content))
    }

    @Test func `authorities of which all have expired are refused`() throws {
        let old = try authority.get().file
        #expect(throws: TLSSetupError.expired(path: old.path, since: "Jan  1 00:00:00 2120 GMT")) {
            try TLSAuthorities(old, now: 5_000_000_000)
        }
        var wish = Wish("DNS:later.example")
        wish.until = 6_000_000_000
        let later = try authority.get().issue(wish).certificate
        for content in [old.content + later.content, later.content + old.content] {
            _ = try TLSAuthorities(TLSFile(path: "both", content: content), now: 5_000_000_000)
        }
        _ = try TLSAuthorities(old, now: 1_800_000_000)
    }

    @Test func `a client's own certificate is examined as a server's`() throws {
        var settings = TLSClientSettings(authorities: nil)
        settings.identity = try identity(nil, Contexts.identity("other").key)
        #expect(
            throws: TLSSetupError.keyDoesNotFit(key: "other.key", certificate: "server.pem")
        ) { try TLSClientContext(settings, loops: 1, now: nil) }
    }

    @Test func `every refusal names its file`() throws {
        let errors: [TLSSetupError] = [
            .unreadable(path: "here.pem", reason: "r"), .tooLarge(path: "here.pem", bytesMax: 1),
            .noCertificate(path: "here.pem"), .noKey(path: "here.pem"),
            .malformed(path: "here.pem", reason: "r"), .encryptedKey(path: "here.pem"),
            .keyDoesNotFit(key: "k", certificate: "here.pem"),
            .expired(path: "here.pem", since: "t"), .notYetValid(path: "here.pem", until: "t"),
            .tooWeak(path: "here.pem", reason: "r"), .nameless(path: "here.pem"),
        ]
        for error in errors { #expect(error.description.contains("here.pem")) }
        #expect(TLSSetupError.noSystemAuthorities.description.contains("ca"))
    }
}

@Suite struct TLSFileTests {
    @Test func `a file that is not there says why`() {
        #expect(
            throws: TLSSetupError.unreadable(
                path: "/nowhere/at.all", reason: "No such file or directory")
        ) { try TLSFile(reading: "/nowhere/at.all") }
    }

    @Test(arguments: ["/dev/zero", "/"])
    func `what is no file is not read`(path: String) {
        #expect(throws: TLSSetupError.unreadable(path: path, reason: "it is no file")) {
            try TLSFile(reading: path)
        }
    }

    @Test func `a file is read whole`() throws {
        let file = try TLSFile(reading: #filePath)
        #expect(String(decoding: file.content, as: UTF8.self).hasSuffix("// The end.\n"))
    }
}

// The end.
