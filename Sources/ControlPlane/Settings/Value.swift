// One value of the file with the name of its field. Each reading either yields a value of the
// wanted kind or notes a problem and yields nil; it never guesses.

import Notation
import Traffic
import Yams

struct Value {
    let node: Node
    let field: String
    let findings: Findings

    func refuse(_ message: String) {
        findings.add(message, field: field, at: node)
    }

    /// What the value is, in a reader's words.
    var kind: String {
        switch node {
        case .mapping: return "a map"
        case .sequence: return "a list"
        case .scalar(let scalar):
            return isNull ? "nothing" : Spelling.quoted(scalar.string)
        case .alias: return "an alias"
        }
    }

    /// `key:` alone, `~` and `null`; quoted words are text.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else {
            return false
        }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// The text of a scalar, however it was quoted; null is no text.
    func text(_ wanted: String = "text", maxBytes: Int = Limits.textBytes) -> String? {
        guard case .scalar(let scalar) = node, !isNull else {
            refuse("\(kind) where \(wanted) is expected")
            return nil
        }
        guard scalar.string.utf8.count <= maxBytes else {
            refuse("\(scalar.string.utf8.count) bytes of text; allowed: \(maxBytes)")
            return nil
        }
        guard !scalar.string.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f })
        else {
            refuse("control characters are not allowed")
            return nil
        }
        return scalar.string
    }

    /// A scalar without quotes: numbers and booleans are never quoted.
    private func plain(_ wanted: String) -> String? {
        guard case .scalar(let scalar) = node, scalar.style == .plain, !isNull else {
            let quotes = if case .scalar = node, !isNull { "quoted text" } else { kind }
            refuse("\(quotes) where \(wanted) is expected")
            return nil
        }
        return scalar.string
    }

    func boolean() -> Bool? {
        switch plain("true or false") {
        case "true": return true
        case "false": return false
        case let other?:
            refuse("\(Spelling.quoted(other)) is not allowed; allowed: true or false")
            return nil
        case nil: return nil
        }
    }

    func whole(_ allowed: ClosedRange<Int>) -> Int? {
        let range = "\(allowed.lowerBound) to \(allowed.upperBound)"
        guard let text = plain("a whole number (\(range))") else { return nil }
        guard let number = Quantity.natural(text[...]), allowed.contains(number) else {
            refuse("\(Spelling.quoted(text)) is not allowed; allowed: whole numbers \(range)")
            return nil
        }
        return number
    }

    /// One of a few words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type, normalised: (String) -> String = { $0 }
    ) -> Word? where Word.RawValue == String {
        let words = type.allCases.map(\.rawValue)
        guard let text = text(Spelling.alternatives(words)) else { return nil }
        let spellings = [normalised(text), Spelling.snakeCase(text)]
        for spelling in spellings {
            if let word = Word(rawValue: spelling) { return word }
        }
        let near = Spelling.nearest(to: normalised(text), among: words)
        let hint = (near.map { "did you mean '\($0)'? " } ?? "") + "allowed: "
        refuse(
            "\(Spelling.quoted(text)) is not allowed; \(hint)" + words.joined(separator: ", ")
        )
        return nil
    }

    /// The elements of a list.
    func list(_ wanted: String, count allowed: ClosedRange<Int>) -> [Value]? {
        guard case .sequence(let sequence) = node else {
            refuse("\(kind) where a list of \(wanted) is expected")
            return nil
        }
        guard allowed.contains(sequence.count) else {
            let atLeast = "the list is empty; at least \(allowed.lowerBound) of \(wanted) is needed"
            let atMost = "\(sequence.count) of \(wanted); at most \(allowed.upperBound) are allowed"
            refuse(sequence.count < allowed.lowerBound ? atLeast : atMost)
            return nil
        }
        return sequence.enumerated().map { index, element in
            Value(node: element, field: "\(field)[\(index)]", findings: findings)
        }
    }

    func renamed(_ field: String) -> Value {
        Value(node: node, field: field, findings: findings)
    }
}
