// The members of a request's body, each with its form: checked and described by one value. What is
// not named here is unknown, and unknown is refused.

import Deployments
import Notation

/// One member, and the type it is read as.
struct BodyKey<Value: Sendable>: Sendable {
    let field: BodyField
    private let form: Form<Value>

    init(
        _ name: String, _ form: Form<Value>, required: Bool = false, _ explanation: String,
        example: JSONValue? = nil
    ) {
        self.form = form
        field = BodyField(
            name: name, isRequired: required, explanation: explanation, example: example,
            schema: form.schema
        ) { value, place in form.read(value, place) }
    }
}

struct BodyField: Sendable {
    let name: String
    let isRequired: Bool
    let explanation: String
    let example: JSONValue?
    let schema: JSONValue
    fileprivate let read: @Sendable (JSONValue, Place) -> (any Sendable)?

    fileprivate init(
        name: String, isRequired: Bool, explanation: String, example: JSONValue?,
        schema: JSONValue, read: @escaping @Sendable (JSONValue, Place) -> (any Sendable)?
    ) {
        self.name = name
        self.isRequired = isRequired
        self.explanation = explanation
        self.example = example
        self.schema = schema
        self.read = read
    }
}

struct BodyValues: Sendable {
    fileprivate var values: [String: any Sendable] = [:]

    subscript<Value>(_ key: BodyKey<Value>) -> Value? { values[key.field.name] as? Value }

    /// Of a member that is required: reading has seen to it.
    func needed<Value>(_ key: BodyKey<Value>) throws(Problem) -> Value {
        guard let value = self[key] else {
            throw Problem(
                status: 422, code: "INVALID_BODY", detail: "'\(key.field.name)' is missing")
        }
        return value
    }
}

struct BodyForm: Sendable {
    let fields: [BodyField]

    init(_ fields: BodyField...) {
        self.fields = fields
    }

    /// JSON Schema of the whole.
    var schema: JSONValue {
        let required = fields.filter(\.isRequired).map(\.name)
        return .object([
            "type": "object", "additionalProperties": false,
            "required": required.isEmpty ? nil : .texts(required),
            "properties": .object(
                fields.map { field in
                    .init(
                        name: field.name,
                        value: field.schema.setting("description", to: .string(field.explanation))
                            .setting("examples", to: field.example.map { .array([$0]) }))
                }),
        ])
    }

    /// - Throws: `Problem` with every wrong member.
    func read(_ body: JSONValue) throws(Problem) -> BodyValues {
        let faults = Faults()
        let root = Place(pointer: JSONPointer(), faults: faults, context: SpecContext())
        var result = BodyValues()
        if let members = body.members {
            for member in members { read(member, root, &result) }
            for field in fields where field.isRequired && result.values[field.name] == nil {
                guard !members.contains(where: { Spelling.snakeCase($0.name) == field.name })
                else { continue }
                root.child(field.name).refuse(
                    .missing, "'\(field.name)' is missing: \(field.explanation)")
            }
        } else {
            root.wrongType(body, wanted: "an object")
        }
        guard faults.problems.isEmpty else {
            throw Problem(SpecProblems(faults.problems), code: "INVALID_BODY")
        }
        return result
    }

    private func read(_ member: JSONValue.Member, _ root: Place, _ result: inout BodyValues) {
        let place = root.child(member.name)
        let name = Spelling.snakeCase(member.name)
        guard let field = fields.first(where: { $0.name == name }) else {
            let names = fields.map(\.name)
            let near = Spelling.nearest(to: name, among: names).map { "; did you mean '\($0)'?" }
            let all =
                names.isEmpty ? "; none is taken" : "; allowed: " + names.joined(separator: ", ")
            place.refuse(
                .unknownField, "unknown member \(Spelling.quoted(member.name))" + (near ?? all))
            return
        }
        guard result.values[name] == nil else {
            place.refuse(.duplicate, "stands twice")
            return
        }
        guard member.value != .null else {
            place.refuse(.wrongType, "null; give it a value or leave it out")
            return
        }
        if let value = field.read(member.value, place) { result.values[name] = value }
    }
}
