// The field table as Markdown. docs/deployments.md holds exactly this between its marks, and a test
// compares them.

import Notation

package enum FieldReference {
    /// One table, in the table's order.
    package static var markdown: String {
        let head = [
            "| field | type, range | default | change | |", "| --- | --- | --- | --- | --- |",
        ]
        let rows = DeploymentFields.all.map { field in
            let cells = [
                "`\(field.name)`", field.words, standard(field), word(field.edit),
                field.explanation,
            ]
            return "| " + cells.map(escaped).joined(separator: " | ") + " |"
        }
        return (head + rows).joined(separator: "\n")
    }

    private static func standard(_ field: Field) -> String {
        if field.isRequired {
            return field.path.count == 1 ? "needed" : "needed without `instance_type`"
        }
        guard let value = field.defaultValue, value != "", !value.isEmptyCollection else {
            return "–"
        }
        return "`\(value.text ?? value.compact)`"
    }

    private static func word(_ edit: EditClass) -> String {
        switch edit {
        case .live: "live"
        case .restart: "new replicas"
        case .immutable: "never"
        case .viaUpdateModel: "by updating the model"
        }
    }

    private static func escaped(_ cell: String) -> String {
        cell.replacing("|", with: "\\|")
    }
}

extension JSONValue {
    fileprivate var isEmptyCollection: Bool {
        switch self {
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}

extension FieldReference {
    /// The rows of the instance types.
    package static func catalogue(_ catalogue: InstanceCatalogue) -> String {
        catalogue.entries.map { entry in
            let size = entry.resources
            let gpu = size.gpu == 0 ? "–" : "\(size.gpu) × \(size.gpuType ?? "any")"
            return "| `\(entry.name)` | \(ChangePlanner.cores(size.cpuMillis)) | "
                + "\(ChangePlanner.bytes(size.memoryBytes)) | \(gpu) |"
        }.joined(separator: "\n")
    }
}
