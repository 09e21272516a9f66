// The fields that the items of a list have, by the schema that the document tells of them: a
// filter, an order or a mask of a field that there is not is a slip of the pen, and is refused with
// those that there are.

import Notation

struct ListedFields: Sendable {
    /// Where a field is looked for besides at its whole path.
    static let groups = ["metadata", "status", "spec"]

    private let schema: JSONValue

    /// - Parameter name: of the schema of one item.
    init(of name: String) {
        schema = AnswerSchemas.all.first { $0.name == name }?.value ?? Shape.any
    }

    /// A path from the item down.
    func have(_ path: [String]) -> Bool {
        !path.isEmpty && Self.has(schema, path[...])
    }

    /// A whole path, or one without its first part.
    func find(_ path: [String]) -> Bool {
        guard !path.isEmpty else { return false }
        return have(path) || Self.groups.contains { have([$0] + path) }
    }

    /// - Parameter isWhole: where nothing may be left out of the path.
    func refusal(_ path: [String], in parameter: String, isWhole: Bool) -> Problem {
        let given = path.joined(separator: ".")
        let names = isWhole ? names : names + shortNames
        let near = Spelling.nearest(to: given, among: names).map { "; did you mean '\($0)'?" }
        return Problem(
            status: 400, code: "UNKNOWN_FIELD",
            detail: "\(parameter): there is no field \(Spelling.quoted(given))"
                + (near ?? "; there is: \(self.names.joined(separator: ", "))"))
    }

    /// Two levels deep, for a message.
    private var names: [String] {
        Self.properties(schema).flatMap { member in
            let inner = Self.properties(member.value).map { "\(member.name).\($0.name)" }
            return inner.isEmpty ? [member.name] : inner
        }
    }

    private var shortNames: [String] {
        Self.groups.flatMap { group in
            Self.member(schema, group).map { Self.properties($0).map(\.name) } ?? []
        }
    }

    private static func has(_ schema: JSONValue, _ path: ArraySlice<String>) -> Bool {
        guard let first = path.first else { return true }
        return member(schema, first).map { has($0, path.dropFirst()) } ?? false
    }

    /// What a member is; nil when there can be none of the name.
    private static func member(_ schema: JSONValue, _ name: String) -> JSONValue? {
        let schema = resolved(schema)
        if case .array(let choices)? = schema["anyOf"] {
            return choices.lazy.compactMap { member($0, name) }.first
        }
        if let property = schema["properties"]?[name] { return property }
        switch schema["additionalProperties"] {
        case .bool(false)?: return nil
        case let element?: return element.members == nil ? Shape.any : element
        // An object of which nothing is told may have anything; what is no object has nothing.
        case nil: return schema["properties"] == nil && isObject(schema) ? Shape.any : nil
        }
    }

    private static func isObject(_ schema: JSONValue) -> Bool {
        guard let type = schema["type"] else { return true }
        return type == "object" || type.list.contains("object")
    }

    private static func properties(_ schema: JSONValue) -> [JSONValue.Member] {
        resolved(schema)["properties"]?.members ?? []
    }

    private static func resolved(_ schema: JSONValue) -> JSONValue {
        guard let name = schema["$ref"]?.text?.split(separator: "/").last else { return schema }
        return AnswerSchemas.all.first { $0.name == name }?.value ?? Shape.any
    }
}
