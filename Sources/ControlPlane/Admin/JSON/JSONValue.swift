// JSON as a value that keeps the order of members: answers read the same every time, and a wrong
// member can be named by its pointer.

indirect enum JSONValue: Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: JSONValue
    }

    /// Members in the order given; those without a value are left out.
    static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// Two objects in one, the members of `other` last.
    func merging(_ other: JSONValue) -> JSONValue {
        guard case .object(let own) = self, case .object(let more) = other else { return self }
        return .object(own + more)
    }

    /// Compact JSON, one line, with a line feed at the end for people at a terminal.
    var encoded: [UInt8] {
        var text = ""
        write(to: &text)
        text.append("\n")
        return Array(text.utf8)
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

    private static func quote(_ value: String, into text: inout String) {
        text.append("\"")
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

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral value: String) { self = .string(value) }

    init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Any count; what 63 bits do not hold is beyond what anybody counts.
    static func count(_ value: some BinaryInteger) -> JSONValue {
        .integer(Int64(clamping: value))
    }

    /// Percent from thousandths: 90, 33.3.
    static func percent(_ thousandths: Int) -> JSONValue {
        thousandths % 10 == 0
            ? .integer(Int64(thousandths / 10)) : .number(Double(thousandths) / 10)
    }
}
