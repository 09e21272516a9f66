// CIDR ranges for trusted peers and admin allow-lists. IPv4 lives in IPv6's mapped range
// (::ffff:0:0/96), so one comparison serves both families.

/// 128 bits of an IP address; IPv4 as ::ffff:a.b.c.d.
package struct AddressBits: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(ipv4: UInt32) {
        self.init(high: 0, low: 0x0000_ffff_0000_0000 | UInt64(ipv4))
    }
}

/// A block of addresses in CIDR notation.
package struct AddressRange: Sendable, Hashable {
    package let base: AddressBits
    /// 0...128, counted in the mapped form: an IPv4 /8 is 104.
    package let prefixLength: Int

    /// - Precondition: `prefixLength` is 0...128.
    package init(base: AddressBits, prefixLength: Int) {
        precondition((0...128).contains(prefixLength), "a prefix has 0 to 128 bits")
        self.base = base
        self.prefixLength = prefixLength
    }

    package func contains(_ address: AddressBits) -> Bool {
        let highBits = min(prefixLength, 64)
        let lowBits = prefixLength - highBits
        return AddressRange.agree(address.high, base.high, bits: highBits)
            && AddressRange.agree(address.low, base.low, bits: lowBits)
    }

    private static func agree(_ left: UInt64, _ right: UInt64, bits: Int) -> Bool {
        bits == 0 || (left ^ right) >> UInt64(64 - bits) == 0
    }
}
