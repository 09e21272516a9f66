// CIDR blocks as written: `10.0.0.0/8`, `::1/128`, or one address. Bits beyond the prefix must be
// zero: `10.1.2.3/8` is more often a slip than a wish.

import Notation
package import Traffic

extension AddressRange {
    package static let loopback = [
        AddressRange(base: AddressBits(ipv4: 0x7f00_0000), prefixLength: 104),
        AddressRange(base: AddressBits(high: 0, low: 1), prefixLength: 128),
    ]

    /// Nil when the text is no block, or has bits set beyond its prefix.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let base = AddressBits(String(parts[0])) else {
            return nil
        }
        let isMapped = !parts[0].contains(":")
        let width = isMapped ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let written = Quantity.natural(parts[1]), written <= width else { return nil }
            length = written
        }
        let prefix = length + (isMapped ? 96 : 0)
        guard base.isZero(beyond: prefix) else { return nil }
        self.init(base: base, prefixLength: prefix)
    }
}

extension AddressBits {
    /// Dotted IPv4 or textual IPv6, without brackets or zone.
    package init?(_ text: String) {
        if text.contains(":") {
            self.init(ipv6: text)
            return
        }
        guard let bits = AddressBits.ipv4(text[...]) else { return nil }
        self.init(ipv4: bits)
    }

    var isLoopback: Bool { AddressRange.loopback.contains { $0.contains(self) } }

    func isZero(beyond prefix: Int) -> Bool {
        let highMask = prefix >= 64 ? 0 : UInt64.max >> UInt64(prefix)
        let lowMask = prefix >= 128 ? 0 : UInt64.max >> UInt64(max(0, prefix - 64))
        return high & highMask == 0 && low & lowMask == 0
    }

    private init?(ipv6 text: String) {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        let parsed = halves.map {
            AddressBits.groups($0, mayEndDotted: $0.endIndex == text.endIndex)
        }
        guard let head = parsed[0] else { return nil }
        var groups = head
        if halves.count == 2 {
            guard let tail = parsed[1], head.count + tail.count < 8 else { return nil }
            groups += [UInt64](repeating: 0, count: 8 - head.count - tail.count) + tail
        }
        guard groups.count == 8 else { return nil }
        self.init(
            high: groups[..<4].reduce(0) { $0 << 16 | $1 },
            low: groups[4...].reduce(0) { $0 << 16 | $1 })
    }

    private static func groups(_ text: Substring, mayEndDotted: Bool) -> [UInt64]? {
        if text.isEmpty { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt64] = []
        for (index, part) in parts.enumerated() {
            if part.contains("."), mayEndDotted, index == parts.count - 1 {
                guard let bits = ipv4(part) else { return nil }
                groups += [UInt64(bits >> 16), UInt64(bits & 0xffff)]
                continue
            }
            guard (1...4).contains(part.utf8.count),
                part.allSatisfy({ $0.isHexDigit && $0.isASCII }),
                let group = UInt64(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let octet = Quantity.natural(part), octet <= 255 else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }
}
