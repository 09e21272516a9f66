// A path of the route table: `/v1/deployments/{name}:scale`. Segments are cut at '/' before they
// are decoded, so an encoded slash stays inside its segment; a verb is what follows the last colon.

import Foundation

struct PathPattern: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        /// The rest of the path, slashes and all: an address may be a socket's path.
        case rest(String)
    }

    /// As OpenAPI writes it.
    let text: String
    let parameters: [String]
    private let parts: [Part]
    private let verb: String?

    /// - Precondition: the text begins with '/', and only its last segment is `{name*}`.
    init(_ text: String) {
        precondition(text.hasPrefix("/"), "a path begins with '/'")
        var body = text[...]
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("/"),
            !text[colon...].contains("}")
        {
            body = text[..<colon]
            verb = String(text[text.index(after: colon)...])
        } else {
            verb = nil
        }
        self.text = text.replacing("*}", with: "}")
        parts = body.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            guard $0.hasPrefix("{"), $0.hasSuffix("}") else { return .literal(String($0)) }
            let name = String($0.dropFirst().dropLast())
            return name.hasSuffix("*") ? .rest(String(name.dropLast())) : .parameter(name)
        }
        parameters = parts.compactMap { part in
            switch part {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    /// The parameters' values; nil when the path is another one.
    func match(_ path: RequestPath) -> [String: String]? {
        guard path.verb(wanted: verb) else { return nil }
        let segments = path.segments(withoutVerb: verb != nil)
        var values: [String: String] = [:]
        for (index, part) in parts.enumerated() {
            guard index < segments.count else { return nil }
            switch part {
            case .literal(let text):
                guard segments[index] == text else { return nil }
            case .parameter(let name):
                guard !segments[index].isEmpty else { return nil }
                values[name] = segments[index]
            case .rest(let name):
                let rest = segments[index...].joined(separator: "/")
                guard !rest.isEmpty else { return nil }
                values[name] = rest
                return values
            }
        }
        return segments.count == parts.count ? values : nil
    }
}

/// A request's path, cut and decoded once.
struct RequestPath: Sendable {
    let text: String
    private let decoded: [String]
    /// The last segment without what follows its last colon, and that.
    private let lastWithoutVerb: String
    private let verb: String?

    /// - Throws: `Problem` when it is not percent-encoded UTF-8.
    init(_ text: String) throws(Problem) {
        self.text = text
        var segments: [String] = []
        let raw = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for part in raw { segments.append(try Self.decoded(part)) }
        decoded = text.hasPrefix("/") ? segments : []
        let last = raw.last ?? ""
        if let colon = last.lastIndex(of: ":") {
            verb = String(last[last.index(after: colon)...])
            lastWithoutVerb = try Self.decoded(last[..<colon])
        } else {
            verb = nil
            lastWithoutVerb = segments.last ?? ""
        }
    }

    func verb(wanted: String?) -> Bool { wanted == nil ? verb == nil : verb == wanted }

    func segments(withoutVerb: Bool) -> [String] {
        withoutVerb ? decoded.dropLast() + [lastWithoutVerb] : decoded
    }

    private static func decoded(_ raw: Substring) throws(Problem) -> String {
        guard let segment = String(raw).removingPercentEncoding else {
            throw Problem(
                status: 400, code: "INVALID_PATH", detail: "'\(raw)' is not percent-encoded UTF-8")
        }
        return segment
    }
}
