// The field table for a reader at a terminal: `penstock explain`, and the list of flags in
// `--help`.

package import Deployments
package import Notation

package enum FieldGuide {
    /// One line a flag, for the help of verbs that take fields.
    package static func flags(width: Int = 80) -> String {
        let left = 30
        let lines = FieldFlags.all.filter { $0.field.name != "name" }.flatMap { flag in
            let name = "--" + (flag.names.first ?? flag.field.name)
            let text = flag.field.explanation.wrapped(to: max(30, width - left - 4))
            return text.enumerated().map { index, line in
                "  " + (index == 0 ? name : "").padded(to: left) + "  " + line
            }
        }
        return lines.joined(separator: "\n")
    }

    /// All fields, or those below a name.
    package static func overview(_ fields: [Field], _ paint: Paint, width: Int?) -> String {
        var table = TextTable("FIELD", "CHANGE", "WHAT IT IS")
        for field in fields {
            table.add(
                .init(field.name), .init(word(field.edit), ink(field.edit)),
                .init(field.explanation))
        }
        return table.text(paint, width: width)
    }

    /// One field with all that is known of it.
    package static func detail(_ field: Field, _ paint: Paint) -> String {
        var lines = [paint(field.name, .bold), "  " + field.explanation, ""]
        let example = field.example.text ?? field.example.compact
        var facts = [
            ("value", field.words), ("default", standard(field)), ("example", example),
            ("change", meaning(field.edit)),
            ("flags", flags(of: field).map { "--\($0)" }.joined(separator: ", ")),
        ]
        let others = field.aliases.map(\.name)
        if !others.isEmpty { facts.append(("also", others.joined(separator: ", "))) }
        lines += facts.map { "  " + paint($0.0.padded(to: 9), .dim) + $0.1 }
        return lines.joined(separator: "\n")
    }

    /// The same for a program.
    package static func json(_ fields: [Field]) -> JSONValue {
        .object([
            "fields": .array(
                fields.map { field in
                    .object([
                        "name": .string(field.name), "explanation": .string(field.explanation),
                        "value": .string(field.words), "required": .bool(field.isRequired),
                        "default": field.defaultValue, "example": field.example,
                        "edit": .string(field.edit.rawValue),
                        "flags": .texts(flags(of: field).map { "--\($0)" }),
                        "aliases": .texts(field.aliases.map(\.name)), "schema": field.schema,
                    ])
                })
        ])
    }

    private static func flags(of field: Field) -> [String] {
        FieldFlags.all.first { $0.field.name == field.name }?.names ?? []
    }

    /// The fields a word means: one, those of a group, or those whose name has it.
    package static func find(_ word: String) -> [Field] {
        let plain = word.replacing("-", with: "_")
        if let path = DeploymentFields.path(named: FieldFlags.synonyms[word] ?? plain),
            let field = DeploymentFields.field(named: path.joined(separator: "."))
        {
            return [field]
        }
        let group = DeploymentFields.groups.first { $0.name == plain || $0.aliases.contains(plain) }
        if let group { return DeploymentFields.all.filter { $0.path[0] == group.name } }
        return DeploymentFields.all.filter { $0.name.contains(plain) }
    }

    private static func standard(_ field: Field) -> String {
        if field.isRequired { return "none: it is needed" }
        guard let value = field.defaultValue, value != "" else { return "none" }
        return value.text ?? value.compact
    }

    private static func word(_ edit: EditClass) -> String {
        switch edit {
        case .live: "live"
        case .restart: "replaces"
        case .immutable: "never"
        case .viaUpdateModel: "update"
        }
    }

    private static func ink(_ edit: EditClass) -> Paint.Ink {
        switch edit {
        case .live: .green
        case .restart, .viaUpdateModel: .yellow
        case .immutable: .red
        }
    }

    private static func meaning(_ edit: EditClass) -> String {
        switch edit {
        case .live: "live: in force at once, no replica changes"
        case .restart: "makes a revision; replicas are replaced without an outage"
        case .immutable: "never; create another deployment"
        case .viaUpdateModel: "by 'penstock update NAME --version …' or a roll-back"
        }
    }
}
