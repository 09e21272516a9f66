// Durations, sizes and shares as written, turned into numbers. Pure text in, value out; nil is
// "not of this form", and the caller says what the form is.

package enum Quantity {
    /// `250ms`, `5s`, `1m`, `1h`, `1.5s`.
    package static func duration(_ text: String) -> Duration? {
        // Longer units first: `ms` ends with `s`.
        let units: [(String, Double)] = [
            ("ms", 1e6), ("us", 1e3), ("s", 1e9), ("m", 6e10), ("h", 3.6e12),
        ]
        guard let (suffix, scale) = units.first(where: { text.hasSuffix($0.0) }),
            let number = decimal(text.dropLast(suffix.count))
        else { return nil }
        let nanoseconds = (number * scale).rounded()
        guard nanoseconds < 9e18 else { return nil }
        return .nanoseconds(Int64(nanoseconds))
    }

    /// `64KiB`, `256MB`, `512` (bytes).
    package static func size(_ text: String) -> UInt64? {
        let units: [(String, Double)] = [
            ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
            ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1),
        ]
        let lower = text.lowercased()
        let unit = units.first { lower.hasSuffix($0.0) } ?? ("", 1)
        guard let number = decimal(lower.dropLast(unit.0.count)) else { return nil }
        let bytes = number * unit.1
        guard bytes < 9e18, bytes == bytes.rounded() else { return nil }
        return UInt64(bytes)
    }

    /// `20%` as 0.2.
    package static func share(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let percent = decimal(text.dropLast()) else { return nil }
        return percent / 100
    }

    /// Percent in steps of a tenth, as thousandths: `12.5` and `12.5%` are 125.
    package static func thousandths(_ text: String) -> Int? {
        let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first.flatMap(natural), whole < 1_000_000 else {
            return nil
        }
        guard parts.count == 2 else { return whole * 10 }
        guard let first = parts[1].first.flatMap({ natural(String($0)[...]) }),
            parts[1].dropFirst().allSatisfy({ $0 == "0" })
        else { return nil }
        return whole * 10 + first
    }

    /// A plain decimal number without sign or exponent.
    package static func decimal(_ text: Substring) -> Double? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), text.utf8.count <= 20,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
        else { return nil }
        return Double(String(text))
    }

    /// A whole number without sign or leading zeros.
    package static func natural(_ text: Substring) -> Int? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), text == "0" || text.first != "0"
        else { return nil }
        return Int(text)
    }
}

extension Duration {
    /// As the configuration spells it, for messages.
    package var spelled: String {
        let (seconds, attoseconds) = components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        return "\(seconds)s"
    }
}
