// The buckets behind the limits of abuse, seen through a session whose clock is a number.

import HTTPWire
import Testing

@Suite struct HTTP2AbuseMeterTests {
    /// Pings until the session has had enough.
    private func pings(_ server: HTTP2Drive, most: Int = 10_000) -> Int {
        for index in 0..<most {
            server.take(.ping())
            _ = server.output()
            if server.session.fault != nil { return index }
        }
        return most
    }

    private func ping(_ server: HTTP2Drive, _ count: Int) {
        for _ in 0..<count {
            server.take(.ping())
            _ = server.output()
        }
    }

    @Test func `a bucket holds what it says and no more`() throws {
        let server = try HTTP2Drive.server()
        // Two frames of SETTINGS came before.
        #expect(pings(server) == 998)
    }

    @Test func `time fills it again`() throws {
        let server = try HTTP2Drive.server()
        ping(server, 900)
        server.now += 5_000_000_000
        #expect(pings(server) == 98 + 500)
    }

    @Test func `time never fills it beyond its brim`() throws {
        let server = try HTTP2Drive.server()
        server.now += 1_000_000_000_000_000
        #expect(pings(server) == 1_000)
    }

    @Test func `a clock that stands or goes back gives nothing`() throws {
        let server = try HTTP2Drive.server()
        server.now -= 500_000_000
        #expect(pings(server) == 998)
    }

    @Test func `requests give some back`() throws {
        let server = try HTTP2Drive.server()
        ping(server, 900)
        for id in 0..<10 { server.take(.headers(UInt32(1 + 2 * id), HPACK.get)) }
        #expect(pings(server) == 98 + 40)
    }
}
