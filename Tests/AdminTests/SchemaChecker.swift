// As much of JSON Schema as the document uses, so that answers can be held against it here; the
// end-to-end stories do the same with somebody else's validator.

import Notation

struct SchemaChecker {
    let schemas: JSONValue

    /// What is wrong with a value, each with its place; empty when nothing is.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "") -> [String] {
        if let name = schema["$ref"]?.text?.split(separator: "/").last {
            guard let target = schemas[String(name)] else { return ["\(place): no schema \(name)"] }
            return faults(value, target, at: place)
        }
        if case .array(let choices)? = schema["anyOf"] {
            let all = choices.map { faults(value, $0, at: place) }
            return all.contains(where: \.isEmpty) ? [] : all.first ?? []
        }
        var list: [String] = []
        if let types = types(schema), !types.contains(where: { isOf(value, $0) }) {
            return ["\(place): \(value.kind) where \(types) is wanted"]
        }
        if case .array(let words)? = schema["enum"], !words.contains(value) {
            list.append("\(place): \(value.compact) is none of \(words.map(\.compact))")
        }
        if let constant = schema["const"], constant != value {
            list.append("\(place): \(value.compact) is not \(constant.compact)")
        }
        if case .array(let elements) = value, let items = schema["items"] {
            for (index, element) in elements.enumerated() {
                list += faults(element, items, at: "\(place)/\(index)")
            }
        }
        return list + memberFaults(value, schema, at: place)
    }

    private func memberFaults(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String]
    {
        guard let members = value.members else { return [] }
        var list: [String] = []
        for name in schema["required"]?.list.compactMap(\.text) ?? [] where value[name] == nil {
            list.append("\(place)/\(name): is missing")
        }
        for member in members {
            let place = "\(place)/\(member.name)"
            if let property = schema["properties"]?[member.name] {
                list += faults(member.value, property, at: place)
            } else if let further = schema["additionalProperties"] {
                if further == false { list.append("\(place): is not told of") }
                if further.members != nil { list += faults(member.value, further, at: place) }
            }
        }
        return list
    }

    private func types(_ schema: JSONValue) -> [String]? {
        if let type = schema["type"]?.text { return [type] }
        return schema["type"]?.list.compactMap(\.text)
    }

    private func isOf(_ value: JSONValue, _ type: String) -> Bool {
        switch (type, value) {
        case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array),
            ("object", .object), ("number", .number), ("number", .integer):
            true
        case ("integer", _): value.whole != nil
        default: false
        }
    }
}
