// Numeric addresses as text: what `Host` and the kernel write, and what is none.

import Admin
import Testing
import Traffic

@Suite struct AddressTextTests {
    @Test(arguments: [
        ("0.0.0.0", 0, 0xffff_0000_0000), ("192.0.2.255", 0, 0xffff_c000_02ff), ("::", 0, 0),
        ("::1", 0, 1), ("2001:db8::8:0", 0x2001_0db8_0000_0000, 0x0008_0000),
        ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008),
        ("::ffff:10.0.0.1", 0, 0xffff_0a00_0001), ("fe80::1%eth0", 0xfe80_0000_0000_0000, 1),
        ("1::", 0x0001_0000_0000_0000, 0),
    ])
    func `addresses are read`(text: String, high: UInt64, low: UInt64) {
        #expect(AddressBits(text: text) == AddressBits(high: high, low: low))
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.-4", "١.2.3.4", ":", ":::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8::",
        "1.2.3.4:5", "name",
    ])
    func `what is no address is none`(text: String) {
        #expect(AddressBits(text: text) == nil)
    }
}
