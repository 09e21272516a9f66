// CIDR arithmetic over both families.

import Testing
import Traffic

@Suite struct AddressRangeTests {
    private let private10 = AddressRange(base: AddressBits(ipv4: 0x0a00_0000), prefixLength: 104)

    @Test(
        arguments: [
            (0x0a00_0000, true), (0x0aff_ffff, true), (0x0b00_0000, false), (0x09ff_ffff, false),
        ] as [(UInt32, Bool)])
    func `an IPv4 block holds its addresses and no other`(address: UInt32, isInside: Bool) {
        #expect(private10.contains(AddressBits(ipv4: address)) == isInside)
    }

    @Test func `an IPv4 block holds no IPv6 address with the same low bits`() {
        #expect(!private10.contains(AddressBits(high: 1, low: 0xffff_0a00_0001)))
        #expect(!private10.contains(AddressBits(high: 0, low: 0x0a00_0001)))
    }

    @Test(arguments: [0, 1, 63, 64, 65, 127, 128])
    func `a prefix compares exactly its bits`(length: Int) {
        let base = AddressBits(high: 0x8000_0000_0000_0001, low: 0x8000_0000_0000_0001)
        let range = AddressRange(base: base, prefixLength: length)
        #expect(range.contains(base))
        for bit in 0..<128 {
            var other = base
            if bit < 64 { other.high ^= 1 << UInt64(63 - bit) }
            if bit >= 64 { other.low ^= 1 << UInt64(127 - bit) }
            #expect(range.contains(other) == (bit >= length), "bit \(bit)")
        }
    }
}
