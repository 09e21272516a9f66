// One row of the field table: where a value stands in a document, which property holds it, what it
// may be, what changing it means, and how it is explained. Reading, showing, patching, the schema,
// the command line and the documents are all made from rows.

package import Notation

package struct Field: Sendable {
    /// snake_case, from the top: `["scaling_config", "min_replicas"]`.
    package let path: [String]
    package let aliases: [Alias]
    package let isRequired: Bool
    package let edit: EditClass
    /// One sentence for people.
    package let explanation: String
    package let example: JSONValue
    /// JSON Schema of the value alone.
    package let schema: JSONValue
    /// Type and range, for a table cell.
    package let words: String
    /// Nil when there is none, or when the field is required.
    package let defaultValue: JSONValue?

    private let write: @Sendable (JSONValue, Place, inout DeploymentSpec) -> Void
    private let display: @Sendable (DeploymentSpec) -> JSONValue?
    private let transfer: @Sendable (DeploymentSpec, inout DeploymentSpec) -> Void
    private let isEqual: @Sendable (DeploymentSpec, DeploymentSpec) -> Bool

    /// Another name for the same field; with a scale, its number is multiplied first.
    package struct Alias: Sendable, Equatable {
        package var name: String
        package var scale: Double?
    }

    init<Value: Equatable & Sendable>(
        _ path: String, _ property: WritableKeyPath<DeploymentSpec, Value> & Sendable,
        _ form: Form<Value>, _ edit: EditClass, required: Bool = false,
        aliases: [Alias] = [], example: JSONValue,
        _ explanation: String
    ) {
        self.path = path.split(separator: ".").map(String.init)
        self.aliases = aliases
        isRequired = required
        self.edit = edit
        self.explanation = explanation
        self.example = example
        schema = form.schema
        words = form.words
        defaultValue = required ? nil : form.show(DeploymentSpec.blank[keyPath: property])
        write = { value, place, spec in
            if let result = form.read(value, place) { spec[keyPath: property] = result }
        }
        display = { form.show($0[keyPath: property]) }
        transfer = { $1[keyPath: property] = $0[keyPath: property] }
        isEqual = { $0[keyPath: property] == $1[keyPath: property] }
    }

    /// `scaling_config.min_replicas`.
    package var name: String { path.joined(separator: ".") }

    package var pointer: JSONPointer { JSONPointer(path) }

    /// Whether it makes replicas what they are.
    package var belongsToRevision: Bool { edit != .live }

    /// Reads a value into its property, or notes what is wrong with it.
    func read(_ value: JSONValue, at place: Place, into spec: inout DeploymentSpec) {
        write(value, place, &spec)
    }

    /// Nil when there is nothing to show.
    package func show(_ spec: DeploymentSpec) -> JSONValue? {
        display(spec)
    }

    package func copy(from source: DeploymentSpec, to target: inout DeploymentSpec) {
        transfer(source, &target)
    }

    package func differs(_ left: DeploymentSpec, _ right: DeploymentSpec) -> Bool {
        !isEqual(left, right)
    }
}

extension Field.Alias: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self.init(name: value, scale: nil)
    }
}

extension DeploymentSpec {
    /// What a field's default is read from. No document makes it.
    static let blank = DeploymentSpec(
        name: "", model: "", version: "", command: [],
        resources: Resources(cpuMillis: 0, memoryBytes: 0))
}
