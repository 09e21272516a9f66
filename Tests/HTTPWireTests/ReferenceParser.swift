// A second reading of RFC 9112, slow and plain: split the head into lines, the lines into words,
// and look at each on its own. It shares no code and no technique with the parsers it judges.

import Guarding
import HTTPWire

struct ReferenceParser {
    /// The head's lines and its length; nil when no complete, well-formed head is there.
    private static func lines(_ bytes: [UInt8], mayBeginEmpty: Bool) -> (lines: [[UInt8]], Int)? {
        var lines: [[UInt8]] = [[]]
        var position = 0
        if mayBeginEmpty, bytes.starts(with: [13, 10]) { position = 2 }
        while position < bytes.count {
            if bytes[position] == 13 {
                guard position + 1 < bytes.count, bytes[position + 1] == 10 else { return nil }
                position += 2
                if lines.last == [] { return (Array(lines.dropLast()), position) }
                lines.append([])
            } else {
                lines[lines.count - 1].append(bytes[position])
                position += 1
            }
        }
        return nil
    }

    private static func string(_ bytes: ArraySlice<UInt8>) -> String {
        Wire.text(bytes)
    }

    /// RFC 9110 5.6.2.
    private static let tokenCharacters = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
            .unicodeScalars)

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy(tokenCharacters.contains)
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        let tail = text.unicodeScalars.drop(while: isSpace).reversed().drop(while: isSpace)
        return String(String.UnicodeScalarView(tail.reversed()))
    }

    private static func fields(_ lines: some Sequence<[UInt8]>) -> [ParsedField]? {
        var fields: [ParsedField] = []
        for line in lines {
            guard let colon = line.firstIndex(of: 58) else { return nil }
            let name = string(line[..<colon])
            let value = line[(colon + 1)...]
            guard isToken(name),
                value.allSatisfy({ $0 == 9 || (32...126).contains($0) || $0 >= 128 })
            else { return nil }
            fields.append(ParsedField(name: name, value: trimmed(string(value))))
        }
        return fields
    }
}

extension ReferenceParser {
    private static func values(_ fields: [ParsedField], _ name: String) -> [String] {
        // Their lengths first: most names are others.
        fields.filter {
            $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name
        }.map(\.value)
    }

    /// Nil inside when nothing is announced, nil outside when what is announced is refused.
    private static func framing(_ fields: [ParsedField], _ minorVersion: Int) -> BodyFraming?? {
        let lengths = values(fields, "content-length")
        let codings = values(fields, "transfer-encoding")
        if let coding = codings.first {
            let isRight = codings.count == 1 && lengths.isEmpty && minorVersion == 1
            return isRight && coding.lowercased() == "chunked" ? .chunked : nil
        }
        guard let length = lengths.first else { return .some(nil) }
        let isNumber = length.unicodeScalars.allSatisfy { ("0"..."9").contains($0) }
        guard lengths.count == 1, isNumber, length.count < 20, let count = UInt64(length),
            count < 1 << 63
        else { return nil }
        return .length(count)
    }

    /// The options of all Connection fields; nil when one is malformed.
    private static func options(_ fields: [ParsedField]) -> [String]? {
        let parts = values(fields, "connection").flatMap { $0.split(separator: ",") }
            .map { trimmed(String($0)).lowercased() }.filter { !$0.isEmpty }
        return parts.count <= 32 && parts.allSatisfy(isToken) ? parts : nil
    }

    private static let known = Set(FieldNameTests.spellings.map(\.1))
    private static let hopByHop = Set(
        FieldNameTests.spellings.filter(\.0.isHopByHop).map(\.1))
    private static let knownPrefixes = ["x-forwarded-", "x-penstock-"]

    private static func flagged(_ fields: [ParsedField], _ options: [String]) -> [ParsedField] {
        let isKnown: (String) -> Bool = { name in
            known.contains(name) || knownPrefixes.contains { name.hasPrefix($0) }
        }
        return fields.map { field in
            let name = field.name.lowercased()
            var field = field
            field.isHopByHop =
                hopByHop.contains(name) || (options.contains(name) && !isKnown(name))
            let plain = String(name.map { $0 == "_" ? "-" : $0 })
            field.isAlias = plain != name && isKnown(plain)
            return field
        }
    }

    private static func keepsAlive(_ options: [String], _ minorVersion: Int) -> Bool {
        !options.contains("close") && (minorVersion == 1 || options.contains("keep-alive"))
    }
}

extension ReferenceParser {
    /// The request, or nil when there is none that is complete and beyond reproach.
    static func request(_ bytes: [UInt8]) -> ParsedRequest? {
        guard let (lines, byteCount) = lines(bytes, mayBeginEmpty: true), let first = lines.first,
            var fields = fields(lines.dropFirst())
        else { return nil }
        let words = first.split(separator: 32, omittingEmptySubsequences: false).map(string)
        guard words.count == 3, isToken(words[0]), words[0].count <= 24,
            !["CONNECT", "TRACE"].contains(words[0]), ["HTTP/1.0", "HTTP/1.1"].contains(words[2]),
            let target = target(words[1], words[0])
        else { return nil }
        let minorVersion = words[2] == "HTTP/1.1" ? 1 : 0
        let hosts = values(fields, "host")
        guard hosts.count == 1 || (hosts.isEmpty && minorVersion == 0),
            hosts.allSatisfy(isHost), let framing = framing(fields, minorVersion),
            let options = options(fields)
        else { return nil }
        let expectations = minorVersion == 1 ? values(fields, "expect") : []
        guard expectations.isEmpty || expectations.map({ $0.lowercased() }) == ["100-continue"]
        else { return nil }
        fields = flagged(fields, options)
        for index in fields.indices where minorVersion == 0 {
            if fields[index].name.lowercased() == "expect" { fields[index].isHopByHop = true }
        }
        let upgrades = values(fields, "upgrade")
        let mayUpgrade = minorVersion == 1 && options.contains("upgrade") && upgrades.count == 1
        let hasBody = framing != nil && framing != .length(0)
        return ParsedRequest(
            method: words[0], target: words[1], path: target.path, query: target.query,
            host: target.host ?? hosts.first ?? "", minorVersion: minorVersion,
            framing: framing ?? .none, keepsAlive: keepsAlive(options, minorVersion),
            expectsContinue: !expectations.isEmpty && hasBody,
            upgrade: mayUpgrade ? upgrades[0] : "", byteCount: byteCount, fields: fields)
    }

    private static func target(
        _ text: String, _ method: String
    ) -> (path: String, query: String?, host: String?)? {
        guard text.unicodeScalars.allSatisfy({ (33...126).contains($0.value) && $0 != "#" }),
            text.count <= 16_384
        else { return nil }
        if text == "*" { return method == "OPTIONS" ? ("*", nil, nil) : nil }
        var rest = Substring(text)
        var host: String?
        if !text.hasPrefix("/") {
            let scheme = ["http://", "https://"].first { text.lowercased().hasPrefix($0) }
            guard let scheme else { return nil }
            rest = rest.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            guard isHost(String(authority)) else { return nil }
            host = String(authority)
            rest = rest.dropFirst(authority.count)
        }
        let path = rest.prefix { $0 != "?" }
        let query = rest.dropFirst(path.count)
        return (String(path), query.isEmpty ? nil : String(query.dropFirst()), host)
    }

    /// Hosts are few, and the expression is dear.
    private static let judgedHosts = Guarded<[String: Bool]>([:])

    private static func isHost(_ text: String) -> Bool {
        if let isJudged = judgedHosts.withLock({ $0[text] }) { return isJudged }
        let isHost = matchesHost(text)
        judgedHosts.withLock { $0[text] = isHost }
        return isHost
    }

    /// Plain names and ports, and the IPv6 addresses that the generator makes.
    private static func matchesHost(_ text: String) -> Bool {
        let name = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
        let pattern = "(?:\(name)|\\[::1\\]|\\[::[A-F]\\])(?::[0-9]{0,5})?"
        guard text.utf8.count <= 260, (try? Regex(pattern).wholeMatch(in: text)) != nil
        else { return false }
        let port = text.split(separator: "]").last?.split(separator: ":").last.flatMap { Int($0) }
        return !text.contains(":") || (port ?? 0) <= 65_535
    }

    /// The response, or nil when there is none that is complete and beyond reproach.
    static func response(_ bytes: [UInt8], toHead: Bool) -> ParsedResponse? {
        guard let (lines, byteCount) = lines(bytes, mayBeginEmpty: false), let first = lines.first,
            var fields = fields(lines.dropFirst()), first.count >= 13,
            first.allSatisfy({ $0 == 9 || (32...126).contains($0) || $0 >= 128 })
        else { return nil }
        let words = string(first[...]).split(
            separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, ["HTTP/1.0", "HTTP/1.1"].contains(words[0]),
            words[1].utf8.count == 3, let status = Int(words[1]), (100...599).contains(status)
        else { return nil }
        let minorVersion = words[0] == "HTTP/1.1" ? 1 : 0
        guard let announced = framing(fields, minorVersion), let options = options(fields)
        else { return nil }
        fields = flagged(fields, options)
        var framing = announced ?? .untilClose
        if status < 200 || status == 204 {
            guard announced == nil || announced == .length(0) else { return nil }
            for index in fields.indices where fields[index].name.lowercased() == "content-length" {
                fields[index].isHopByHop = true
            }
        }
        if status < 200 || status == 204 || status == 304 || toHead { framing = .none }
        let timeout = values(fields, "keep-alive").first == "timeout=5" ? 5 : -1
        let persists = keepsAlive(options, minorVersion) && framing != .untilClose
        return ParsedResponse(
            status: status, reason: String(words[2]), minorVersion: minorVersion, framing: framing,
            keepsAlive: persists && status != 101, timeout: timeout, byteCount: byteCount,
            fields: fields)
    }
}
