// A decoding error as one sentence for whoever wrote the JSON: where, and what was expected.

extension DecodingError {
    package var sentence: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.place(context.codingPath + [key])): is missing"
        case .typeMismatch(let type, let context):
            "\(Self.place(context.codingPath)): \(Self.word(for: type)) expected"
        case .valueNotFound(let type, let context):
            "\(Self.place(context.codingPath)): \(Self.word(for: type)) expected, not null"
        case .dataCorrupted(let context):
            "\(Self.place(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            "\(self)"
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        let place = path.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + snakeCase(key.stringValue)
            }
        }
        return place.isEmpty ? "the body" : place
    }

    /// Keys are spelled in snake case on the wire.
    private static func snakeCase(_ key: String) -> String {
        key.map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined()
    }

    private static func word(for type: any Any.Type) -> String {
        if type is any FixedWidthInteger.Type { return "a whole number" }
        if type is any BinaryFloatingPoint.Type { return "a number" }
        if type == String.self { return "a string" }
        if type == Bool.self { return "true or false" }
        if "\(type)".hasPrefix("Array") { return "a list" }
        return "an object"
    }
}
