// JSON as YAML for people: what `get` shows, `edit` opens and `apply` takes. Only the plain corner
// of YAML is written, so that it reads back as what it was.

package import Notation

package enum YAMLText {
    package static func text(_ value: JSONValue) -> String {
        lines(value, indent: 0).joined(separator: "\n") + "\n"
    }

    private static func lines(_ value: JSONValue, indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        switch value {
        case .object(let members) where !members.isEmpty:
            return members.flatMap { member -> [String] in
                let name = space + scalar(.string(member.name)) + ":"
                if let inline = inline(member.value) { return ["\(name) \(inline)"] }
                return [name] + lines(member.value, indent: indent + 2)
            }
        case .array(let values) where !values.isEmpty:
            return values.flatMap { value -> [String] in
                if let inline = inline(value) { return ["\(space)- \(inline)"] }
                var inner = lines(value, indent: indent + 2)
                inner[0] = space + "- " + inner[0].dropFirst(indent + 2)
                return inner
            }
        default: return [space + (inline(value) ?? "{}")]
        }
    }

    /// On one line: scalars, what is empty, short lists of scalars.
    private static func inline(_ value: JSONValue) -> String? {
        switch value {
        case .object(let members): return members.isEmpty ? "{}" : nil
        case .array(let values):
            let parts = values.compactMap { value in
                value.members == nil && value.list.isEmpty ? scalar(value, isFlow: true) : nil
            }
            let text = "[" + parts.joined(separator: ", ") + "]"
            return parts.count == values.count && text.columns <= 72 ? text : nil
        default: return scalar(value)
        }
    }

    private static func scalar(_ value: JSONValue, isFlow: Bool = false) -> String {
        guard case .string(let text) = value else { return value.compact }
        return isPlain(text, isFlow: isFlow) ? text : value.compact
    }

    /// Whether it stands for itself without quotes: no sign of YAML, no other type's look.
    private static func isPlain(_ text: String, isFlow: Bool) -> Bool {
        if isQuantity(text) { return true }
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last,
            first.isLetter || "/._".unicodeScalars.contains(first),
            last != ":", last != " "
        else { return false }
        let words = ["true", "false", "null", "yes", "no", "on", "off", "~"]
        guard !words.contains(text.lowercased()), !text.contains(": "), !text.contains(" #"),
            !text.hasPrefix("."), !isFlow || !text.contains(where: { ",[]{}".contains($0) })
        else { return false }
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}

extension YAMLText {
    /// `512MiB`, `5m`, `25%`: no number to anybody.
    private static func isQuantity(_ text: String) -> Bool {
        let units = ["KiB", "MiB", "GiB", "TiB", "KB", "MB", "GB", "TB", "ms", "s", "m", "h", "%"]
        guard let unit = units.first(where: text.hasSuffix) else { return false }
        return Quantity.decimal(text.dropLast(unit.count)) != nil
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool { properties.isAlphabetic }
}
