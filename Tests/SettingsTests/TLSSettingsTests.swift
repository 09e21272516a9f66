// `tls:` and `protocol:` as they will be read once the data plane honours them, and that until then
// they are refused.

import Settings
import Testing
import Traffic

struct TLSSettingsTests {
    private func read(
        _ text: String, _ surroundings: Surroundings = .unseen
    ) throws -> Configuration {
        try ConfigurationFile.parse(
            Array(text.utf8), file: "penstock.yaml", workers: 4, directory: "/etc/penstock",
            surroundings: surroundings, features: .tls)
    }

    private func listener(_ tls: String) -> String {
        "gateway: { listeners: [{ address: \"127.0.0.1:8443\", tls: \(tls) }] }"
    }

    private func complaints(_ text: String, _ surroundings: Surroundings = .unseen) -> [String] {
        do {
            _ = try read(text, surroundings)
            return []
        } catch let error as SettingsError {
            return error.lines
        } catch {
            return ["\(error)"]
        }
    }

    // MARK: Listeners

    @Test func `a listener has a certificate and its key`() throws {
        let tls = try read(listener("{ certificate: a.pem, key: /keys/a.key }"))
            .gateway.listeners[0].tls
        #expect(
            tls?.certificates
                == [CertificatePlan(certificate: "/etc/penstock/a.pem", key: "/keys/a.key")])
        #expect(tls?.clients == nil)
    }

    @Test func `or several, the first for all other names`() throws {
        let tls = try read(
            listener("[{ certificate: a, key: a }, { certificate: b, key: b }]")
        ).gateway.listeners[0].tls
        #expect(tls?.certificates.map(\.key) == ["/etc/penstock/a", "/etc/penstock/b"])
    }

    @Test(arguments: [
        ("", true), (", client_auth: required", true), (", client_auth: optional", false),
    ])
    func `clients are asked for a certificate`(need: String, isRequired: Bool) throws {
        let tls = try read(listener("{ certificate: a, key: a, client_ca: ca.pem\(need) }"))
            .gateway.listeners[0].tls
        #expect(
            tls?.clients
                == ClientCertificatePlan(
                    authorities: "/etc/penstock/ca.pem", isRequired: isRequired))
    }

    @Test func `one rule for clients holds for all certificates`() throws {
        let same =
            "[{ certificate: a, key: a, client_ca: c }, { certificate: b, key: b, client_ca: c }]"
        #expect(try read(listener(same)).gateway.listeners[0].tls?.clients != nil)
        let first = "[{ certificate: a, key: a, client_ca: c }, { certificate: b, key: b }]"
        #expect(try read(listener(first)).gateway.listeners[0].tls?.clients != nil)
    }

    @Test(arguments: [
        ("{}", "'certificate' is missing"),
        ("{ certificate: a }", "'key' is missing"),
        ("[]", "the list is empty"),
        ("yes", "'yes' where a map is expected"),
        ("{ certificate: a, key: b, ca: c }", "unknown key 'ca'"),
        ("{ certificate: a, key: b, client_auth: optional }", "has no effect without client_ca"),
        ("{ certificate: a, key: b, client_ca: c, client_auth: maybe }", "'maybe' is not allowed"),
        (
            "[{ certificate: a, key: a }, { certificate: b, key: b, client_ca: c }]",
            "[1].client_ca: differs from the first certificate's"
        ),
        (
            "[{ certificate: a, key: a, client_ca: c }, { certificate: b, key: b, client_ca: d }]",
            "[1].client_ca: differs"
        ),
    ])
    func `a wrong listener is refused`(tls: String, says: String) {
        let lines = complaints(listener(tls))
        #expect(lines.contains { $0.contains(says) }, "told: \(lines)")
    }

    // MARK: Revisions

    @Test func `a revision over TLS verifies by default`() throws {
        let text = withRevisions("{ name: a, tls: {}, endpoints: [\"h:1\"] }")
        let revision = try #require(try read(text).services.first?.revisions.first)
        #expect(revision.tls == UpstreamTLSPlan())
        #expect(revision.tls?.verifies == true && revision.tls?.authorities == nil)
        #expect(revision.wire == .http1)
    }

    @Test func `every key of it takes effect`() throws {
        let keys = """
            { server_name: Model.Example, ca: ca.pem, verify: true, certificate: c.pem, key: c.key }
            """
        let text = withRevisions("{ name: a, protocol: auto, tls: \(keys), endpoints: [\"h:1\"] }")
        let revision = try #require(try read(text).services.first?.revisions.first)
        #expect(revision.wire == .auto)
        #expect(revision.tls?.serverName == "model.example")
        #expect(revision.tls?.authorities == "/etc/penstock/ca.pem")
        #expect(
            revision.tls?.identity
                == CertificatePlan(
                    certificate: "/etc/penstock/c.pem", key: "/etc/penstock/c.key"))
    }

    @Test(arguments: [
        ("tls: { verify: false }", false), ("tls: { server_name: \"127.0.0.1\" }", true),
        ("tls: { server_name: \"::1\" }", true),
    ])
    func `verification can be switched off`(keys: String, verifies: Bool) throws {
        let text = withRevisions("{ name: a, \(keys), endpoints: [\"h:1\"] }")
        #expect(try read(text).services[0].revisions[0].tls?.verifies == verifies)
    }

    @Test func `cleartext h2 needs no TLS`() throws {
        let text = withRevisions("{ name: a, protocol: h2, endpoints: [\"h:1\"] }")
        let revision = try read(text).services[0].revisions[0]
        #expect(revision.wire == .http2 && revision.tls == nil)
    }

    @Test(arguments: [
        ("protocol: auto", "auto asks by ALPN"),
        ("protocol: spdy", "'spdy' is not allowed"),
        ("tls: { certificate: a }", "'key' is missing"),
        ("tls: { key: a }", "'certificate' is missing"),
        ("tls: { verify: false, ca: c }", "ca: has no effect with verify: false"),
        ("tls: { server_name: \"a b\" }", "neither a host name nor an address"),
        ("tls: { server_name: \"\" }", "neither a host name nor an address"),
        ("tls: { server_name: \"*.example\" }", "neither a host name nor an address"),
        ("tls: { verify: maybe }", "true or false"),
        ("tls: true", "where a map is expected"),
    ])
    func `a wrong revision is refused`(keys: String, says: String) {
        let lines = complaints(withRevisions("{ name: a, \(keys), endpoints: [\"h:1\"] }"))
        #expect(lines.contains { $0.contains(says) }, "told: \(lines)")
    }

    @Test func `a socket file needs a name to verify`() throws {
        let text = withRevisions("{ name: a, tls: {}, endpoints: [\"unix:/s\"] }")
        #expect(complaints(text).contains { $0.contains("add server_name") })
        let named = withRevisions("{ name: a, tls: { server_name: m }, endpoints: [\"unix:/s\"] }")
        #expect(try read(named).services[0].revisions[0].tls?.serverName == "m")
    }

    // MARK: Files, and what is in force

    @Test func `what is wrong with files is told at their place`() {
        var surroundings = Surroundings.unseen
        surroundings.identity = { certificate, key in "\(key) is not that of \(certificate)" }
        surroundings.authorities = { "\($0) holds no certificate" }
        let lines = complaints(listener("{ certificate: a, key: b, client_ca: c }"), surroundings)
        #expect(lines.contains { $0.contains("tls.certificate: /etc/penstock/b is not that of") })
        #expect(lines.contains { $0.contains("tls.client_ca: /etc/penstock/c holds no") })
        let admin = "admin: { tls: { certificate: a, key: b } }"
        #expect(complaints(admin, surroundings).contains { $0.contains("is not that of") })
    }

    @Test func `a file that is missing is told once`() {
        var surroundings = Surroundings.unseen
        surroundings.file = { "'\($0)' does not exist" }
        surroundings.identity = { _, _ in "never asked" }
        surroundings.authorities = { _ in "never asked" }
        let lines = complaints(listener("{ certificate: a, key: b, client_ca: c }"), surroundings)
        #expect(lines.count == 3, "told: \(lines)")
        #expect(lines.allSatisfy { $0.contains("does not exist") })
    }

    @Test func `without the feature they are refused`() {
        for text in [
            listener("{ certificate: a, key: b }"),
            withRevisions("{ name: a, protocol: auto, tls: {}, endpoints: [\"h:1\"] }"),
        ] {
            do {
                _ = try ConfigurationFile.parse(
                    Array(text.utf8), file: "penstock.yaml", workers: 4, directory: "/etc/penstock",
                    surroundings: .unseen, features: [])
                Issue.record("read: \(text)")
            } catch {
                #expect(error.lines.contains { $0.contains("tls: not supported yet") })
            }
        }
    }
}
