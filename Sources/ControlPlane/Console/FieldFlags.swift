// The field table as flags of the command line: `--cpu 2` is `--set resources.cpu=2`. The names
// come from the table alone, so a field that the API learns is a flag the same day.

package import Deployments
import Notation

package enum FieldFlags {
    /// `--resources.cpu` always; `--cpu` where only one field ends so.
    package struct Flag: Sendable {
        package let field: Field
        /// Without dashes, the short one first.
        package let names: [String]
    }

    package static let all: [Flag] = {
        let lasts = Dictionary(grouping: DeploymentFields.all) { $0.path[$0.path.count - 1] }
        return DeploymentFields.all.map { field in
            var names: [String] = []
            if let last = field.path.last, lasts[last]?.count == 1, !reserved.contains(last) {
                names.append(last.replacing("_", with: "-"))
            }
            if field.path.count > 1 || names.isEmpty {
                names.append(field.name.replacing("_", with: "-"))
            }
            return Flag(field: field, names: names)
        }
    }()

    /// Short names that mean something else to a verb, or say too little by themselves.
    private static let reserved = ["name", "enabled", "type", "command", "steps"]

    /// `--replicas` has no row of its own: it is short for a range of one.
    package static let replicas = "replicas"
    /// What people say instead: one label of `labels`, the strategy for its type.
    package static let synonyms = [
        "label": "labels", "arg": "args", "secret": "secrets", "strategy": "strategy.type",
        "autoscaling": "scaling_config.enabled",
    ]

    /// Field flags as `--set name=value`; everything else as it came. What follows `--` is not
    /// looked at.
    package static func expanded(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var index = arguments.startIndex
        while index < arguments.endIndex {
            let argument = arguments[index]
            if argument == "--" { return result + arguments[index...] }
            index += 1
            guard argument.hasPrefix("--"), let (field, inline) = found(argument.dropFirst(2))
            else {
                result.append(argument)
                continue
            }
            if let inline {
                result += ["--set", "\(field)=\(inline)"]
            } else if isSwitch(field), index >= arguments.endIndex || !isTruth(arguments[index]) {
                result += ["--set", "\(field)=true"]
            } else if index < arguments.endIndex, arguments[index] != "--" {
                result += ["--set", "\(field)=\(arguments[index])"]
                index += 1
            } else {
                result.append(argument)
            }
        }
        return result
    }

    /// The field's name, and what stands behind an equals sign.
    private static func found(_ text: Substring) -> (field: String, inline: String?)? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let word = String(parts[0])
        let inline = parts.count > 1 ? String(parts[1]) : nil
        if word == replicas { return (replicas, inline) }
        if let field = synonyms[word] { return (field, inline) }
        return byName[word].map { ($0, inline) }
    }

    private static let byName: [String: String] = Dictionary(
        all.flatMap { flag in flag.names.map { ($0, flag.field.name) } },
        uniquingKeysWith: { first, _ in first })

    private static func isSwitch(_ name: String) -> Bool {
        DeploymentFields.field(named: name)?.schema["type"]?.text == "boolean"
    }

    private static func isTruth(_ text: String) -> Bool { text == "true" || text == "false" }

    /// The flag a field is best named by; the dotted name for what is below one: `env.LOG_LEVEL`.
    package static func name(of field: String) -> String? {
        if field == replicas { return "--replicas" }
        return all.first { $0.field.name == field }?.names.first.map { "--\($0)" }
    }
}
