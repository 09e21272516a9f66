// JSON as it comes, for verbs that show what a server says. A member that is missing or of another
// kind reads as nil: a newer gateway may say more, an older one less.

import Foundation

enum JSONValue: Decodable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case map([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = Self.read(Bool.self, container) {
            self = .boolean(value)
        } else if let value = Self.read(Double.self, container) {
            self = .number(value)
        } else if let value = Self.read(String.self, container) {
            self = .text(value)
        } else if let value = Self.read([JSONValue].self, container) {
            self = .list(value)
        } else {
            self = .map(try container.decode([String: JSONValue].self))
        }
    }

    /// Nil when the bytes are no JSON.
    init?(_ bytes: Data) {
        // The caller says what is wrong in its own words.
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: bytes) else { return nil }
        self = value
    }

    private static func read<Value: Decodable>(
        _ type: Value.Type, _ container: any SingleValueDecodingContainer
    ) -> Value? {
        // Trying one kind after the other is how a value without a schema is read.
        try? container.decode(type)
    }

    subscript(_ key: String) -> JSONValue? {
        guard case .map(let members) = self else { return nil }
        return members[key]
    }

    var list: [JSONValue] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    var text: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    var number: Double? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var boolean: Bool? {
        guard case .boolean(let boolean) = self else { return nil }
        return boolean
    }
}
