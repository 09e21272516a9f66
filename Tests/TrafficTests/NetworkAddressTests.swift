// Addresses as people write them.

import Testing
import Traffic

@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:80", .tcp(host: "127.0.0.1", port: 80)),
            ("[::1]:8080", .tcp(host: "::1", port: 8080)),
            ("model.local:65535", .tcp(host: "model.local", port: 65535)),
            ("a:0", .tcp(host: "a", port: 0)), ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
        ] as [(String, NetworkAddress)])
    func `an address is read and written the same`(text: String, address: NetworkAddress) {
        #expect(NetworkAddress(text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ":", "a", "a:", ":80", "a:65536", "a:-1", "a:+1", "a: 1", "a:8x", "::1:80", "[::1:80",
        "[]:80", "[::1]", "[::1]x:80", "unix:", "unix:relative",
    ])
    func `what is no address is refused`(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func `a socket's path is as long as the kernel takes`() {
        let path = "/" + String(repeating: "a", count: 106)
        #expect(NetworkAddress("unix:\(path)") != nil)
        #expect(NetworkAddress("unix:\(path)a") == nil)
    }
}
