// The value as text: compact for answers, indented for people, canonical for digests. Canonical is
// RFC 8785 for all that is written here: members by name, no space, whole numbers without a point.

extension JSONValue {
    /// Compact JSON, one line, with a line feed at the end for people at a terminal.
    package var encoded: [UInt8] { Array((compact + "\n").utf8) }

    /// One line, without its end.
    package var compact: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// Members sorted at every level, so that equal contents have equal bytes.
    package var canonical: [UInt8] { Array(sorted.compact.utf8) }

    /// The same with the members of each object by name.
    package var sorted: JSONValue {
        switch self {
        case .object(let members):
            .object(
                members.map { Member(name: $0.name, value: $0.value.sorted) }
                    .sorted { Array($0.name.utf16).lexicographicallyPrecedes($1.name.utf16) })
        case .array(let values): .array(values.map(\.sorted))
        case .number(let value): .decimal(value)
        default: self
        }
    }

    /// Two spaces a level.
    package var pretty: String {
        var text = ""
        writePretty(to: &text, indent: "")
        return text + "\n"
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text.append("null")
        case .bool(let value): text.append(value ? "true" : "false")
        case .integer(let value): text.append(String(value))
        // JSON has no word for what is not finite.
        case .number(let value): text.append(value.isFinite ? "\(value)" : "null")
        case .string(let value): JSONValue.quote(value, into: &text)
        case .array(let values):
            text.append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { text.append(",") }
                value.write(to: &text)
            }
            text.append("]")
        case .object(let members):
            text.append("{")
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(",") }
                JSONValue.quote(member.name, into: &text)
                text.append(":")
                member.value.write(to: &text)
            }
            text.append("}")
        }
    }

    private func writePretty(to text: inout String, indent: String) {
        let inner = indent + "  "
        switch self {
        case .array(let values) where !values.isEmpty:
            text.append("[\n")
            for (index, value) in values.enumerated() {
                text.append(inner)
                value.writePretty(to: &text, indent: inner)
                text.append(index < values.count - 1 ? ",\n" : "\n")
            }
            text.append(indent + "]")
        case .object(let members) where !members.isEmpty:
            text.append("{\n")
            for (index, member) in members.enumerated() {
                text.append(inner)
                JSONValue.quote(member.name, into: &text)
                text.append(": ")
                member.value.writePretty(to: &text, indent: inner)
                text.append(index < members.count - 1 ? ",\n" : "\n")
            }
            text.append(indent + "}")
        default: write(to: &text)
        }
    }

    private static func quote(_ value: String, into text: inout String) {
        text.append("\"")
        // Most texts are written as they are.
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            text.append(value)
            text.append("\"")
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text.append("\\\"")
            case "\\": text.append("\\\\")
            case "\n": text.append("\\n")
            case "\r": text.append("\\r")
            case "\t": text.append("\\t")
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                text.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text.append("\"")
    }
}
