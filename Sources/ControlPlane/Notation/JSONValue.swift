// JSON as a value that keeps the order of members: answers read the same every time, and a wrong
// member can be named by its pointer. One type for everybody who reads or writes JSON.

package indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Members in the order given; those without a value are left out.
    package static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// A map of texts, sorted by name.
    package static func map(_ map: [String: String]) -> JSONValue {
        .object(
            map.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: .string($0.value)) })
    }

    package static func texts(_ texts: [String]) -> JSONValue {
        .array(texts.map(JSONValue.string))
    }

    /// Two objects in one, the members of `other` last.
    package func merging(_ other: JSONValue) -> JSONValue {
        guard case .object(let own) = self, case .object(let more) = other else { return self }
        return .object(own + more)
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }

    package init(booleanLiteral value: Bool) { self = .bool(value) }

    package init(integerLiteral value: Int64) { self = .integer(value) }

    /// Any count; what 63 bits do not hold is beyond what anybody counts.
    package static func count(_ value: some BinaryInteger) -> JSONValue {
        .integer(Int64(clamping: value))
    }

    /// A number without a fraction is written without one.
    package static func decimal(_ value: Double) -> JSONValue {
        guard value == value.rounded(), abs(value) < 9e15 else { return .number(value) }
        return .integer(Int64(value))
    }

    /// Percent from thousandths: 90, 33.3.
    package static func percent(_ thousandths: Int) -> JSONValue {
        thousandths % 10 == 0
            ? .integer(Int64(thousandths / 10)) : .number(Double(thousandths) / 10)
    }
}

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = Self.read(Bool.self, container) {
            self = .bool(value)
        } else if let value = Self.read(Int64.self, container) {
            self = .integer(value)
        } else if let value = Self.read(Double.self, container) {
            self = .number(value)
        } else if let value = Self.read(String.self, container) {
            self = .string(value)
        } else if let value = Self.read([JSONValue].self, container) {
            self = .array(value)
        } else {
            // Coders keep no order; by name is at least the same every time.
            let map = try container.decode([String: JSONValue].self)
            self = .object(
                map.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: $0.value) })
        }
    }

    private static func read<Value: Decodable>(
        _ type: Value.Type, _ container: any SingleValueDecodingContainer
    ) -> Value? {
        // Trying one kind after the other is how a value without a schema is read.
        try? container.decode(type)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members):
            try container.encode(
                Dictionary(
                    members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }))
        }
    }
}
