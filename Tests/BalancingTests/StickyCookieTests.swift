// The session cookie: who has no key can neither read, make nor alter one.

import Balancing
import Testing

@Suite struct StickyCookieTests {
    private func cookie(tag: UInt64 = 0xfeed, at wall: Int64 = 1_000_000) -> [UInt8] {
        let value = StickyCookie.make(tag: tag, wallSeconds: wall, key: stickyKey)
        return value.indices.map { value[$0] }
    }

    private func read(_ bytes: [UInt8], at wall: Int64, key: StickyKey = stickyKey) -> UInt64? {
        unsafe StickyCookie.read(
            bytes.span.bytes, key: key, wallSeconds: wall, lifetimeSeconds: 3600)
    }

    @Test func `a cookie names its endpoint until it expires`() {
        #expect(read(cookie(), at: 1_000_000) == 0xfeed)
        #expect(read(cookie(), at: 1_003_600) == 0xfeed)
        #expect(read(cookie(), at: 1_003_601) == nil)
    }

    @Test func `a cookie from the future is refused beyond a minute`() {
        #expect(read(cookie(), at: 999_940) == 0xfeed)
        #expect(read(cookie(), at: 999_939) == nil)
    }

    @Test func `a cookie altered in any byte is refused`() {
        let good = cookie()
        for index in good.indices {
            var forged = good
            forged[index] = forged[index] == 48 ? 49 : 48
            #expect(read(forged, at: 1_000_000) == nil, "byte \(index)")
        }
    }

    @Test func `a cookie of another key, of another length or in capitals is refused`() {
        let other = StickyKey(bytes: [UInt8](repeating: 1, count: 16))
        #expect(read(cookie(), at: 1_000_000, key: other) == nil)
        #expect(read(cookie() + [48], at: 1_000_000) == nil)
        #expect(read([], at: 1_000_000) == nil)
        #expect(read(cookie().map { $0 > 96 ? $0 - 32 : $0 }, at: 1_000_000) == nil)
    }
}
