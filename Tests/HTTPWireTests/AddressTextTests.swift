// Addresses as proxies write them into lists: what is one, what it is worth, and what is none.

import HTTPWire
import Testing

@Suite struct AddressTextTests {
    private func node(_ text: String) -> [UInt64]? {
        let bytes = Array(text.utf8)
        return AddressText.node(unsafe bytes.span.bytes).map { [$0.high, $0.low] }
    }

    @Test(arguments: [
        "192.0.2.7", "192.0.2.7:80", "\"192.0.2.7:65535\"", "::ffff:192.0.2.7", "[::ffff:c000:207]",
        "[::ffff:192.0.2.7]:443",
    ])
    func `every spelling of an address is the same address`(text: String) {
        #expect(node(text) == [0, 0xffff_c000_0207])
    }

    @Test(
        arguments: [
            ("::", 0, 0), ("::1", 0, 1), ("[::1]", 0, 1),
            ("\"[2001:db8::7]:1\"", 0x2001_0db8 << 32, 7),
            ("2001:DB8:0:0:0:0:0:7", 0x2001_0db8 << 32, 7), ("0.0.0.0", 0, 0xffff_0000_0000),
        ] as [(String, UInt64, UInt64)])
    func `an address is its bits`(text: String, high: UInt64, low: UInt64) {
        #expect(node(text) == [high, low])
    }

    @Test(arguments: [
        "", "unknown", "_hidden", "unix:", "192.0.2", "192.0.2.256", "192.0.02.7", "192.0.2.7:",
        "192.0.2.7:65536", "192.0.2.7:x", "192.0.2.7 ", "1.2.3.4.5", "[::1", "[::1]x", "[::1]:",
        "[::1]80", "[192.0.2.7]", ":::", "1::2::3", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "\"",
        "\"192.0.2.7", "[]", "12345::",
    ])
    func `anything else is none`(text: String) {
        #expect(node(text) == nil)
    }
}
