// Durations, sizes, shares, weights, addresses and names, each with the range that is allowed. A
// refusal repeats what was written and says what may be.

import Notation
import Traffic
import Yams

extension Value {
    /// - Parameter mayBeOff: `0s` is allowed besides the range.
    func duration(_ allowed: ClosedRange<Duration>, mayBeOff: Bool = false) -> Duration? {
        let range = "\(allowed.lowerBound.spelled) to \(allowed.upperBound.spelled)"
        let wanted = mayBeOff ? "0s (off) or \(range)" : range
        guard let text = text("a duration such as 250ms, 5s, 1m or 1h") else { return nil }
        guard let duration = Quantity.duration(text) else {
            refuse(
                "\(Spelling.quoted(text)) is no duration; "
                    + "write a number and ms, s, m or h; allowed: \(wanted)")
            return nil
        }
        guard allowed.contains(duration) || (mayBeOff && duration == .zero) else {
            refuse("\(Spelling.quoted(text)) is not allowed; allowed: \(wanted)")
            return nil
        }
        return duration
    }

    func size(_ allowed: ClosedRange<UInt64>, spelled range: String) -> UInt64? {
        guard let text = text("a size such as 64KiB or 256MB") else { return nil }
        guard let size = Quantity.size(text) else {
            refuse(
                "\(Spelling.quoted(text)) is no size; write bytes, or a number and KB, MB, GB, "
                    + "KiB, MiB or GiB; allowed: \(range)")
            return nil
        }
        guard allowed.contains(size) else {
            refuse("\(Spelling.quoted(text)) is not allowed; allowed: \(range)")
            return nil
        }
        return size
    }

    /// `20%`.
    func share() -> Double? {
        guard let text = text("a share such as 20%") else { return nil }
        guard let share = Quantity.share(text), share <= 1 else {
            refuse("\(Spelling.quoted(text)) is no share; allowed: 0% to 100%, with the sign")
            return nil
        }
        return share
    }

    /// A share, or a number from 0 to 1.
    func fraction() -> Double? {
        guard let text = text("a number from 0 to 1") else { return nil }
        guard let fraction = Quantity.share(text) ?? Quantity.decimal(text[...]), fraction <= 1
        else {
            refuse("\(Spelling.quoted(text)) is not allowed; allowed: 0 to 1, or 0% to 100%")
            return nil
        }
        return fraction
    }

    /// Percent in steps of a tenth, as thousandths.
    func weight() -> Int? {
        guard let text = text("a percentage such as 95 or 0.5") else { return nil }
        guard let thousandths = Quantity.thousandths(text), thousandths <= 1000 else {
            refuse(
                "\(Spelling.quoted(text)) is not allowed; allowed: percent from 0 to 100 in steps "
                    + "of 0.1")
            return nil
        }
        return thousandths
    }

    func range() -> AddressRange? {
        guard let text = text("a block of addresses such as 10.0.0.0/8") else { return nil }
        guard let range = AddressRange(text) else {
            refuse(
                "\(Spelling.quoted(text)) is no block of addresses; write an address and a "
                    + "prefix with nothing set beyond it, such as 10.0.0.0/8 or fd00::/8")
            return nil
        }
        return range
    }

    /// Where something can be reached; a host may be a name.
    func address() -> NetworkAddress? {
        let forms = "host:port, [ipv6]:port or unix:/absolute/path"
        guard let text = text("an address (\(forms))") else { return nil }
        guard let address = NetworkAddress(text), address.isWellFormed else {
            let hint =
                text.hasPrefix("unix:") && !text.hasPrefix("unix:/")
                ? "a socket's path must be absolute" : "write \(forms)"
            refuse("\(Spelling.quoted(text)) is no address; \(hint)")
            return nil
        }
        return address
    }

    /// Where to listen: an IP address of this machine, or a socket file.
    func listeningAddress() -> NetworkAddress? {
        guard let address = address() else { return nil }
        if case .tcp(let host, _) = address, AddressBits(host) == nil {
            refuse(
                "'\(host)' is a name; listen on an IP address, such as 127.0.0.1 (this machine), "
                    + "0.0.0.0 or [::] (all)")
            return nil
        }
        return address
    }

    /// The name of a service, revision or deployment.
    func name() -> String? {
        guard let text = text("a name") else { return nil }
        let isName =
            text.first.map { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? false
            && text.utf8.count <= Limits.nameCharacters
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard isName else {
            refuse(
                "\(Spelling.quoted(text)) is no name; allowed: 1 to \(Limits.nameCharacters) "
                    + "letters, digits, '-', '_' and '.', a letter or digit first")
            return nil
        }
        return text
    }

    /// The name of a header, in lower case.
    func headerName(_ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 256, text.utf8.allSatisfy(\.isTokenByte) else {
            refuse("\(Spelling.quoted(text)) is no header name")
            return nil
        }
        return text.lowercased()
    }

    /// An absolute path of a URL, without a query.
    func urlPath() -> String? {
        guard let text = text("a path such as /health") else { return nil }
        let isPath =
            text.hasPrefix("/")
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
        guard isPath else {
            refuse(
                "\(Spelling.quoted(text)) is no path; it starts with '/' and has no spaces, "
                    + "'#' or characters beyond ASCII (escape them with %)")
            return nil
        }
        return text
    }
}

extension UInt8 {
    /// tchar of RFC 9110, section 5.6.2.
    var isTokenByte: Bool {
        switch self {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}

extension NetworkAddress {
    /// Beyond what the address itself checks: a host of sensible characters and a port to reach.
    var isWellFormed: Bool {
        guard case .tcp(let host, _) = self else { return true }
        if host.contains(":") { return AddressBits(host) != nil }
        if host.allSatisfy({ $0.isNumber || $0 == "." }) { return AddressBits(host) != nil }
        return host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                switch byte {
                case 45, 46, 48...57, 65...90, 95, 97...122: true
                default: false
                }
            }
    }
}
