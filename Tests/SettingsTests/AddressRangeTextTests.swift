// Addresses and blocks as text: IPv4, IPv6, and what only looks like them.

import Settings
import Testing
import Traffic

struct AddressRangeTextTests {
    @Test(arguments: [
        ("127.0.0.1", UInt64(0), UInt64(0xffff_7f00_0001)),
        ("::", 0, 0), ("::1", 0, 1), ("1::", 1 << 48, 0),
        ("fd00:1:2:3:4:5:6:7", 0xfd00_0001_0002_0003, 0x0004_0005_0006_0007),
        ("2001:db8::ff00:42:8329", 0x2001_0db8_0000_0000, 0x0000_ff00_0042_8329),
        ("::ffff:10.0.0.1", 0, 0xffff_0a00_0001),
    ])
    func `an address is read into its bits`(text: String, high: UInt64, low: UInt64) {
        #expect(AddressBits(text) == AddressBits(high: high, low: low))
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", ":", ":::", "1:2",
        "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3", "1.2.3.4::", "fe80::1%eth0",
        "1:2:3:4:5:6:7::8",
    ])
    func `what only looks like an address is none`(text: String) {
        #expect(AddressBits(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false),
        ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false), ("::/0", "1.2.3.4", true),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", true),
        ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
    ])
    func `a block contains what shares its prefix`(range: String, address: String, isIn: Bool)
        throws
    {
        let bits = try #require(AddressBits(address))
        #expect(try #require(AddressRange(range)).contains(bits) == isIn)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/8/8", "::1/127",
        "::/129",
        "name/8", "fd00::1/8",
    ])
    func `a block with stray bits or prefix is refused`(text: String) {
        #expect(AddressRange(text) == nil)
    }
}
