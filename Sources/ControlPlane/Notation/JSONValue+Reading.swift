// A value taken apart. A member that is missing or of another kind reads as nil: whoever must tell
// which of the two it was looks at the value itself.

extension JSONValue {
    /// The first member of this name.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// A member of a member.
    package subscript(path names: [String]) -> JSONValue? {
        names.reduce(self as JSONValue?) { value, name in value?[name] }
    }

    package var members: [Member]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The elements; none when this is no array.
    package var list: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var boolean: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    package var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A whole number, however it was written: 2 and 2.0 are the same in JSON.
    package var whole: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// What the value is, for a message: `a number`.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// This object with a member set, in its old place if it had one, or taken out.
    package func setting(_ name: String, to value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        let place = members.firstIndex { $0.name == name }
        switch (place, value) {
        case (let index?, let value?): members[index].value = value
        case (let index?, nil): members.remove(at: index)
        case (nil, let value?): members.append(Member(name: name, value: value))
        case (nil, nil): break
        }
        return .object(members)
    }

    /// The same at a path, making objects on the way.
    package func setting(path names: [String], to value: JSONValue?) -> JSONValue {
        guard let first = names.first else { return self }
        guard names.count > 1 else { return setting(first, to: value) }
        let inner = self[first] ?? .object([])
        return setting(first, to: inner.setting(path: Array(names.dropFirst()), to: value))
    }
}
