// Who gets in: names, peers, tokens; and where the port may listen at all.

import Admin
import Testing
import Traffic

@Suite struct AdminAccessTests {
    @Test(arguments: ["/livez", "/readyz", "/metrics"])
    func `some paths need no token on loopback`(path: String) async throws {
        let port = try await AdminPort()
        #expect(await port.send("GET", path, token: nil).status == 200)
    }

    @Test(arguments: ["/v1/services", "/v1/system", "/", "/v1/nothing", "/metrics/x"])
    func `everything else does, whether or not it exists`(path: String) async throws {
        let response = await (try AdminPort()).send("GET", path, token: nil)
        #expect(response.status == 401)
        #expect(response.headers["www-authenticate"] == "Bearer realm=\"penstock\"")
    }

    @Test func `beyond loopback the metrics need the token, too`() async throws {
        let port = try await AdminPort(isLoopback: false, isEncrypted: true)
        #expect(await port.send("GET", "/metrics", token: nil).status == 401)
        #expect(await port.send("GET", "/metrics").status == 200)
        #expect(await port.send("GET", "/livez", token: nil).status == 200)
    }

    @Test(arguments: ["", "x", "pst_a-token-of-the-test", "pst_a-token-of-the-testsx"])
    func `a wrong token is refused`(token: String) async throws {
        let response = await (try AdminPort()).send("GET", "/v1/system", token: token)
        #expect(response.status == 401)
        #expect(try response.code() == "UNAUTHORIZED")
    }

    @Test(arguments: ["evil.example", "localhost.evil.example:9090", "128.0.0.1", "[::2]:80", ""])
    func `a web page cannot reach loopback by another name`(host: String) async throws {
        let response = await (try AdminPort()).send("GET", "/livez", host: host)
        #expect(response.status == 421)
    }

    @Test(arguments: ["localhost", "LocalHost:9090", "127.0.0.1:9090", "127.9.9.9", "[::1]:1"])
    func `loopback answers to its own names`(host: String) async throws {
        #expect(await (try AdminPort()).send("GET", "/livez", host: host).status == 200)
    }

    @Test func `with TLS the certificate decides about the name`() async throws {
        let port = try await AdminPort(isLoopback: false, isEncrypted: true)
        #expect(await port.send("GET", "/livez", host: "gateway.example").status == 200)
    }

    @Test(arguments: [
        ("10.1.2.3", 200), ("11.0.0.1", 403), ("::1", 200), ("::2", 403), (nil, 403),
        ("not-an-address", 403),
    ])
    func `only allowed peers are served`(peer: String?, status: Int) async throws {
        let port = try await AdminPort(
            allow: [
                AddressRange(base: AddressBits(ipv4: 10 << 24), prefixLength: 104),
                AddressRange(base: AddressBits(high: 0, low: 1), prefixLength: 128),
            ])
        #expect(await port.send("GET", "/livez", peer: peer).status == status)
    }

    @Test(arguments: ["0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090", "gateway.example:9090"])
    func `beyond loopback nothing is served in the clear`(address: String) throws {
        let address = try #require(NetworkAddress(address))
        #expect(throws: AdminError.exposed(address, missing: "admin.tls")) {
            try AdminOptions(address: address).access(tokens: FixedTokens.admin)
        }
    }

    @Test(arguments: ["127.0.0.1:9090", "[::1]:9090", "localhost:0", "127.1.2.3:1"])
    func `loopback needs no certificate but a token`(address: String) async throws {
        let options = AdminOptions(address: try #require(NetworkAddress(address)))
        let access = try options.access(tokens: FixedTokens(tokens: [:]))
        let port = try await AdminPort(access: access)
        #expect(await port.send("GET", "/v1/services").status == 401)
    }
}
