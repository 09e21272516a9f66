// JSON Schema in few words, for the answers of the API. Every object is closed: a member that is
// not told here is a mistake, and the contract tests find it.

import Notation

enum Shape {
    static let text = JSONValue.object(["type": "string"])
    static let whole = JSONValue.object(["type": "integer"])
    static let count = JSONValue.object(["type": "integer", "minimum": 0])
    static let number = JSONValue.object(["type": "number"])
    static let flag = JSONValue.object(["type": "boolean"])
    static let time = JSONValue.object(["type": "string", "format": "date-time"])
    /// Anything inside: documents whose shape is told elsewhere.
    static let any = JSONValue.object(["type": "object"])

    static func word(_ words: [String]) -> JSONValue {
        .object(["type": "string", "enum": .texts(words)])
    }

    static func constant(_ word: String) -> JSONValue {
        .object(["type": "string", "const": .string(word)])
    }

    static func list(of element: JSONValue) -> JSONValue {
        .object(["type": "array", "items": element])
    }

    static func map(of element: JSONValue) -> JSONValue {
        .object(["type": "object", "additionalProperties": element])
    }

    static func orNull(_ type: String) -> JSONValue {
        .object(["type": .texts([type, "null"])])
    }

    static func reference(_ name: String) -> JSONValue {
        .object(["$ref": .string("#/components/schemas/\(name)")])
    }

    /// An item of a list whose `fields` may leave anything out of it.
    static func part(of name: String) -> JSONValue {
        .object([
            "type": "object",
            "description": .string("\(name), or those of its members that were asked for."),
            "anyOf": .array([reference(name), any]),
        ])
    }

    static func either(_ choices: JSONValue...) -> JSONValue {
        .object(["anyOf": .array(choices)])
    }

    static func object(
        _ required: KeyValuePairs<String, JSONValue>,
        optional: KeyValuePairs<String, JSONValue> = [:]
    ) -> JSONValue {
        let members = required.map { JSONValue.Member(name: $0.key, value: $0.value) }
        let further = optional.map { JSONValue.Member(name: $0.key, value: $0.value) }
        return .object([
            "type": "object", "additionalProperties": false,
            "required": required.isEmpty ? nil : .texts(required.map(\.key)),
            "properties": .object(members + further),
        ])
    }

    /// `{<name>: […], "next_page_token": "…"}`.
    static func page(_ name: String, of element: JSONValue, hasTotal: Bool = true) -> JSONValue {
        let members: [JSONValue.Member] = [
            .init(name: name, value: list(of: element)),
            .init(name: "next_page_token", value: text),
        ]
        let total = hasTotal ? [JSONValue.Member(name: "total_size", value: count)] : []
        return .object([
            "type": "object", "additionalProperties": false,
            "required": .texts((members + total).map(\.name)),
            "properties": .object(members + total),
        ])
    }
}
