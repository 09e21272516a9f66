// Texts: free ones, names, and paths. Lengths count characters as JSON Schema does, so that the
// published schema says exactly what is accepted.

import Foundation
import Notation

extension Form<String> {
    /// Without control characters; `lines` allows line feeds and tabs.
    package static func text(_ length: ClosedRange<Int>, lines: Bool = false) -> Form {
        let pattern = lines ? linesPattern : linePattern
        let schema = JSONValue.object([
            "type": "string", "minLength": length.lowerBound > 0 ? .count(length.lowerBound) : nil,
            "maxLength": .count(length.upperBound), "pattern": .string(pattern),
        ])
        let words = "text, \(length.lowerBound) to \(length.upperBound) characters"
        return Form(words, schema: schema, show: { .string($0) }) { value, place in
            guard let text = Self.text(value, place, length: length) else { return nil }
            let isPlain = text.unicodeScalars.allSatisfy { scalar in
                (scalar.value >= 0x20 && scalar.value != 0x7f)
                    || (lines && (scalar == "\n" || scalar == "\t"))
            }
            guard isPlain else {
                place.refuse(.invalid, "control characters are not allowed")
                return nil
            }
            return text
        }
    }

    private static let linePattern = #"^[^\u0000-\u001f\u007f]*$"#
    private static let linesPattern = #"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"#

    /// ASCII of a few kinds; `rule` says in words what the pattern says.
    package static func matching(
        _ pattern: String, _ length: ClosedRange<Int>, rule: String, isMatch: @escaping Matcher
    ) -> Form {
        let schema = JSONValue.object([
            "type": "string", "minLength": .count(length.lowerBound),
            "maxLength": .count(length.upperBound), "pattern": .string(pattern),
        ])
        let words = "\(length.lowerBound) to \(length.upperBound) \(rule)"
        return Form(words, schema: schema, show: { .string($0) }) { value, place in
            guard let text = Self.text(value, place, length: length) else { return nil }
            guard isMatch(text) else {
                place.refuse(
                    .invalid, "\(Spelling.quoted(text)) is not allowed; allowed: \(words)")
                return nil
            }
            return text
        }
    }

    package typealias Matcher = @Sendable (String) -> Bool

    /// A label of a host name: deployments are addressed by it.
    package static let slug = Form.matching(
        "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", 1...63,
        rule: "lower-case letters, digits and '-', a letter or digit first and last"
    ) { text in
        text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == 45 }
            && text.first != "-" && text.last != "-"
    }

    /// A model, a version, a secret.
    package static let name = Form.matching(
        "^[A-Za-z0-9][A-Za-z0-9._-]*$", 1...Limits.nameCharacters,
        rule: "letters, digits, '-', '_' and '.', a letter or digit first"
    ) { isName($0) }

    /// An absolute path of a URL. A whole URL is taken for its path, because each replica is asked
    /// at its own address.
    package static let urlPath = Form(
        "path of a URL, or a URL of which the path counts",
        schema: .object([
            "type": "string", "minLength": 1, "maxLength": .count(Limits.pathCharacters),
            "pattern": #"^(https?://[^/\s]+)?/[!"$-~]*$"#,
        ]), show: { .string($0) }
    ) { value, place in
        guard let text = Self.text(value, place, length: 1...Limits.pathCharacters) else {
            return nil
        }
        var path = text[...]
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            path = text.dropFirst(scheme.count).drop { $0 != "/" }
        }
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 35 })
        else {
            place.refuse(
                .invalid,
                "\(Spelling.quoted(text)) is no path; it starts with '/' and has no spaces, '#' or "
                    + "characters beyond ASCII (escape them with %)")
            return nil
        }
        return String(path)
    }

    /// A file or directory of this machine; relative ones only where there is something to be
    /// relative to.
    package static let filePath = Form(
        "path of a file or directory",
        schema: .object([
            "type": "string", "minLength": 1, "maxLength": .count(Limits.pathCharacters),
            "pattern": .string(linePattern),
        ]), show: { .string($0) }
    ) { value, place in
        guard let text = Form.text(1...Limits.pathCharacters).read(value, place) else { return nil }
        if text.hasPrefix("/") { return text }
        guard let directory = place.context.directory else {
            place.refuse(.invalid, "\(Spelling.quoted(text)) is relative; write an absolute path")
            return nil
        }
        return directory.hasSuffix("/") ? directory + text : directory + "/" + text
    }

    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || isDigit(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isLetter(byte) || isDigit(byte) || byte == 45 || byte == 46 || byte == 95
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        isLower(byte) || (65...90).contains(byte)
    }

    private static func text(
        _ value: JSONValue, _ place: Place, length: ClosedRange<Int>
    ) -> String? {
        guard let text = value.text else {
            place.wrongType(value, wanted: "text")
            return nil
        }
        let count = text.unicodeScalars.count
        guard count >= length.lowerBound else {
            place.refuse(.invalid, "the text is empty")
            return nil
        }
        guard count <= length.upperBound else {
            place.refuse(.tooLong, "\(count) characters; allowed: \(length.upperBound)")
            return nil
        }
        return text
    }
}
