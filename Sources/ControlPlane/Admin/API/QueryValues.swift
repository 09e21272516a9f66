// The query of a request, checked against what its endpoint takes: names once, values of their
// kind. camelCase is the name in the document; snake_case is the same.

import Foundation
import Notation

/// One thing a request may say beside its path and body.
struct Parameter: Sendable {
    enum Place: String, Sendable { case query, header }

    let name: String
    let place: Place
    let explanation: String
    /// JSON Schema; `type` decides how the text is read.
    let schema: JSONValue
    let isRequired: Bool

    init(
        _ name: String, _ schema: JSONValue, in place: Place = .query, required: Bool = false,
        _ explanation: String
    ) {
        self.name = name
        self.schema = schema
        self.place = place
        isRequired = required
        self.explanation = explanation
    }

    /// The text as a value of the schema's type.
    ///
    /// - Throws: `Problem` naming the parameter and what is allowed.
    func value(_ text: String) throws(Problem) -> JSONValue {
        switch schema["type"]?.text {
        case "boolean":
            guard let flag = ["true": true, "false": false, "": true][text] else {
                throw refused(text, "true or false")
            }
            return .bool(flag)
        case "integer":
            let least = schema["minimum"]?.whole ?? .min
            let most = schema["maximum"]?.whole ?? .max
            guard let number = Int64(text), text.first != "+", (least...most).contains(number)
            else { throw refused(text, "a whole number from \(least) to \(most)") }
            return .integer(number)
        default:
            let words = schema["enum"]?.list.compactMap(\.text) ?? []
            guard words.isEmpty || words.contains(text) else {
                throw refused(text, words.joined(separator: ", "))
            }
            guard text.unicodeScalars.count >= Int(schema["minLength"]?.whole ?? 0) else {
                throw refused(text, "at least one character, or nothing of it at all")
            }
            let most = schema["maxLength"]?.whole ?? 4096
            guard text.unicodeScalars.count <= Int(most) else {
                throw refused(String(text.prefix(40)) + "…", "at most \(most) characters")
            }
            return .string(text)
        }
    }

    private func refused(_ text: String, _ allowed: String) -> Problem {
        Problem(
            status: 400, code: "INVALID_PARAMETER",
            detail: "'\(name)' is \(Spelling.quoted(text)); allowed: \(allowed)")
    }
}

struct QueryValues: Sendable {
    private var values: [String: JSONValue] = [:]

    /// - Parameter query: what follows the path, with its '?'.
    init(_ query: Substring, taking parameters: [Parameter]) throws(Problem) {
        let known = parameters.filter { $0.place == .query }
        for pair in query.dropFirst().split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(parts[0])
            let text = parts.count > 1 ? try Self.decoded(parts[1]) : ""
            let plain = Spelling.snakeCase(name)
            guard let parameter = known.first(where: { Spelling.snakeCase($0.name) == plain })
            else { throw Self.unknown(name, known) }
            guard values[parameter.name] == nil else {
                throw Problem(
                    status: 400, code: "INVALID_PARAMETER",
                    detail: "the query parameter '\(parameter.name)' stands twice")
            }
            values[parameter.name] = try parameter.value(text)
        }
    }

    func text(_ name: String) -> String? { values[name]?.text }

    func whole(_ name: String) -> Int? { values[name]?.whole.flatMap { Int(exactly: $0) } }

    func flag(_ name: String) -> Bool { values[name]?.boolean ?? false }

    func isGiven(_ name: String) -> Bool { values[name] != nil }

    private static func unknown(_ name: String, _ known: [Parameter]) -> Problem {
        let names = known.map(\.name)
        let near = Spelling.nearest(to: name, among: names).map { "; did you mean '\($0)'?" }
        let all = names.isEmpty ? "; none is taken" : "; allowed: \(names.joined(separator: ", "))"
        return Problem(
            status: 400, code: "UNKNOWN_PARAMETER",
            detail: "the query parameter \(Spelling.quoted(name)) is not known here"
                + (near ?? all))
    }

    private static func decoded(_ raw: Substring) throws(Problem) -> String {
        guard let text = raw.replacing("+", with: " ").removingPercentEncoding else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "\(Spelling.quoted(String(raw))) is not percent-encoded UTF-8")
        }
        return text
    }
}
