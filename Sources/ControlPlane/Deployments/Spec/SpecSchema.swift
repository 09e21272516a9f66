// The field table as JSON Schema 2020-12, the dialect of OpenAPI 3.1: one schema for what is shown,
// one for what creates, one for what patches. `x-penstock-edit` tells what changing a field means.

package import Notation

package enum SpecSchema {
    package enum Purpose: Sendable {
        /// Complete, as answers show it.
        case shown
        /// Required fields are required.
        case create
        /// Nothing is required; null takes a value back to its default.
        case patch
    }

    /// An object without further members.
    package static func object(_ purpose: Purpose) -> JSONValue {
        var properties: [JSONValue.Member] = []
        var seen = Set<String>()
        for field in DeploymentFields.all {
            let name = field.path[0]
            guard seen.insert(name).inserted else { continue }
            let schema = field.path.count == 1 ? property(field, purpose) : group(name, purpose)
            properties.append(.init(name: name, value: schema))
        }
        if purpose != .shown { properties.append(.init(name: "replicas", value: replicas)) }
        let required = DeploymentFields.all.filter { $0.isRequired && $0.path.count == 1 }
        return .object([
            "type": "object", "additionalProperties": false,
            "required": purpose == .patch ? nil : .texts(required.map(\.name)),
            "properties": .object(properties),
        ])
    }

    /// A strategy on its own.
    package static var strategy: JSONValue { group("strategy", .create) }

    /// `replicas: 2` instead of a range of one.
    private static let replicas = JSONValue.object([
        "type": "integer", "minimum": 1, "maximum": .count(Limits.replicas),
        "description": "Short for scaling_config with this as min_replicas and max_replicas.",
        "x-penstock-edit": "live", "writeOnly": true,
    ])

    private static func group(_ name: String, _ purpose: Purpose) -> JSONValue {
        let fields = DeploymentFields.all.filter { $0.path.count > 1 && $0.path[0] == name }
        let description = DeploymentFields.groups.first { $0.name == name }?.explanation ?? ""
        let object = JSONValue.object([
            "type": purpose == .patch && name != "resources"
                ? .texts(["object", "null"]) : "object",
            "description": .string(description), "additionalProperties": false,
            "properties": .object(
                fields.map { .init(name: $0.path[1], value: property($0, purpose)) }),
        ])
        guard name == "resources", purpose == .create else { return object }
        return object.setting(
            "description", to: .string(description + " Needed unless `instance_type` is given."))
    }

    private static func property(_ field: Field, _ purpose: Purpose) -> JSONValue {
        var schema = purpose == .shown ? field.shownSchema : field.schema
        if purpose == .patch, !field.isRequired { schema = nullable(schema) }
        return schema.merging(
            .object([
                "description": .string(field.explanation),
                "default": purpose == .patch ? nil : field.defaultValue,
                "examples": .array([field.example]),
                "x-penstock-edit": .string(field.edit.rawValue),
            ]))
    }

    private static func nullable(_ schema: JSONValue) -> JSONValue {
        if case .array(let choices)? = schema["anyOf"] {
            return schema.setting(
                "anyOf", to: .array(choices + [.object(["type": "null"])]))
        }
        guard let type = schema["type"]?.text else { return schema }
        var result = schema.setting("type", to: .texts([type, "null"]))
        // A list of words must have the new one.
        if case .array(let words)? = schema["enum"] {
            result = result.setting("enum", to: .array(words + [.null]))
        }
        // The members of a map may be taken out one by one.
        if let inner = schema["additionalProperties"], inner.members != nil {
            result = result.setting("additionalProperties", to: nullable(inner))
        }
        return result
    }
}

extension Field {
    /// Quantities are shown as numbers, whatever they were written as.
    fileprivate var shownSchema: JSONValue {
        guard case .array(let choices)? = schema["anyOf"],
            defaultValue?.text == nil, !name.hasSuffix("max_surge"),
            !name.hasSuffix("max_unavailable")
        else { return schema }
        return choices[0]
    }
}
