// `filter=status=healthy AND environment=(staging|production) AND name:iris`: terms joined by AND,
// each a field, a comparison and a value. Fields are those of the answer; the part before the first
// dot may be left out where it is clear.

import Notation

struct FilterExpression: Sendable {
    enum Comparison: String, Sendable, CaseIterable {
        // Longer ones first: `>=` begins with `>`.
        case atLeast = ">="
        case atMost = "<="
        case unequal = "!="
        case equal = "="
        case contains = ":"
        case above = ">"
        case below = "<"
    }

    private struct Term: Sendable {
        var path: [String]
        var comparison: Comparison
        /// Any of them.
        var values: [String]
    }

    private let terms: [Term]

    static let empty = FilterExpression(terms: [])

    var isEmpty: Bool { terms.isEmpty }

    var paths: [[String]] { terms.map(\.path) }

    private init(terms: [Term]) {
        self.terms = terms
    }

    /// - Throws: `Problem` naming the term that cannot be read.
    init(_ text: String) throws(Problem) {
        var terms: [Term] = []
        for part in Self.split(text) { terms.append(try Self.term(part)) }
        guard terms.count <= 20 else {
            throw Self.refused(text, "at most 20 terms are allowed")
        }
        self.terms = terms
    }

    func matches(_ item: JSONValue) -> Bool {
        terms.allSatisfy { term in
            let found = Self.value(at: term.path, in: item)
            let isAny = term.values.contains { Self.compare(found, term.comparison, $0) }
            return term.comparison == .unequal
                ? term.values.allSatisfy { !Self.compare(found, .equal, $0) } : isAny
        }
    }

    /// A field of an item by its whole path, or by what follows its first part.
    static func value(at path: [String], in item: JSONValue) -> JSONValue? {
        if let value = item[path: path], path.count > 1 || value.members == nil { return value }
        for part in ListedFields.groups {
            if let value = item[part]?[path: path] { return value }
        }
        return item[path: path]
    }

    private static func compare(
        _ found: JSONValue?, _ comparison: Comparison, _ wanted: String
    ) -> Bool {
        guard let found else { return false }
        let text = found.text ?? found.compact
        switch comparison {
        case .equal: return text == wanted
        case .unequal: return text != wanted
        case .contains:
            if let members = found.members { return members.contains { $0.name == wanted } }
            if case .array(let list) = found { return list.contains { $0.text == wanted } }
            return text.lowercased().contains(wanted.lowercased())
        case .above, .below, .atLeast, .atMost:
            if let left = found.number, let right = Double(wanted) {
                return ordered(left, comparison, right)
            }
            return ordered(text, comparison, wanted)
        }
    }

    private static func ordered<Value: Comparable>(
        _ left: Value, _ comparison: Comparison, _ right: Value
    ) -> Bool {
        switch comparison {
        case .above: left > right
        case .below: left < right
        case .atLeast: left >= right
        case .atMost: left <= right
        case .equal, .unequal, .contains: false
        }
    }

    /// At `AND` outside quotes and brackets.
    private static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var isQuoted = false
        for word in text.split(separator: " ", omittingEmptySubsequences: true) {
            if !isQuoted, word.uppercased() == "AND" {
                parts.append(part)
                part = ""
                continue
            }
            if word.count(where: { $0 == "\"" }) % 2 == 1 { isQuoted.toggle() }
            part += part.isEmpty ? String(word) : " \(word)"
        }
        return parts + [part]
    }

    private static func term(_ text: String) throws(Problem) -> Term {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/".contains($0)) }
        let rest = text[name.endIndex...].drop { $0 == " " }
        guard !name.isEmpty, name.utf8.count <= 200,
            let comparison = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) })
        else {
            throw refused(text, "write a field, one of = != : > >= < <=, and a value")
        }
        let value = rest.dropFirst(comparison.rawValue.count).drop { $0 == " " }
        guard let values = values(String(value)) else {
            throw refused(
                text,
                "a value with spaces, quotes or brackets stands in double quotes, and any of "
                    + "several is (a|b)")
        }
        let path = Spelling.snakeCase(String(name)).split(separator: ".").map(String.init)
        return Term(path: path, comparison: comparison, values: values)
    }

    /// `a`, `"a b"` or `(a|b)`; nil for what is none of them.
    private static func values(_ text: String) -> [String]? {
        guard text.hasPrefix("("), text.hasSuffix(")"), text.count > 2 else {
            return single(text).map { [$0] }
        }
        let parts = text.dropFirst().dropLast().split(
            separator: "|", omittingEmptySubsequences: false)
        let values = parts.compactMap { $0.isEmpty ? nil : single(String($0)) }
        return values.count == parts.count ? values : nil
    }

    private static func single(_ text: String) -> String? {
        if text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") {
            let inner = text.dropFirst().dropLast()
            return inner.contains("\"") ? nil : String(inner)
        }
        return text.contains { " \"()|".contains($0) } ? nil : text
    }

    private static func refused(_ text: String, _ reason: String) -> Problem {
        Problem(
            status: 400, code: "INVALID_FILTER",
            detail: "filter: \(Spelling.quoted(text)) cannot be read: \(reason)",
            hint: "filter=status=healthy AND environment=(staging|production) AND name:iris")
    }
}
