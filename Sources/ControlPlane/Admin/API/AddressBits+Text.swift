// Reads a numeric address as the kernel and `Host` write it. Names are not addresses.

package import Traffic

extension AddressBits {
    /// Dotted IPv4, or IPv6 with or without `::`, a dotted tail and a zone; nil for anything else.
    package init?(text: String) {
        let address = text.prefix { $0 != "%" }
        if let ipv4 = Self.ipv4(address) {
            self.init(ipv4: ipv4)
        } else {
            guard let groups = Self.ipv6(address) else { return nil }
            let halves = groups.reduce((high: UInt64(0), low: UInt64(0))) { sum, group in
                (sum.high << 16 | sum.low >> 48, sum.low << 16 | UInt64(group))
            }
            self.init(high: halves.high, low: halves.low)
        }
    }

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            // A leading zero would be octal to some readers.
            guard (1...3).contains(part.utf8.count), part.allSatisfy(\.isASCIIDigit),
                part == "0" || !part.hasPrefix("0"), let byte = UInt8(part)
            else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    private static func ipv6(_ text: Substring) -> [UInt16]? {
        guard let gap = text.firstRange(of: "::") else {
            guard let groups = self.groups(text), groups.count == 8 else { return nil }
            return groups
        }
        let before = text[..<gap.lowerBound]
        let after = text[gap.upperBound...]
        guard let head = before.isEmpty ? [] : groups(before),
            let tail = after.isEmpty ? [] : groups(after), head.count + tail.count < 8
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring) -> [UInt16]? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let ipv4 = ipv4(part) {
                groups += [
                    UInt16(truncatingIfNeeded: ipv4 >> 16), UInt16(truncatingIfNeeded: ipv4),
                ]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
