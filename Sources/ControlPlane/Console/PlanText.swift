// A plan for a person: what differs, what happens to replicas, whether it fits, how long it takes.
// The same text stands under `plan` and under every `--dry-run`.

package import Notation

package enum PlanText {
    package static func lines(_ plan: JSONValue, _ paint: Paint) -> [String] {
        var lines = differences(plan["differences"]?.list ?? [], paint)
        lines += consequences(plan)
        if plan["fits"]?.boolean == false {
            lines += texts(plan["reasons"]).map { paint("does not fit: \($0)", .red) }
            lines += texts(plan["alternatives"]).map { "  possible: \($0)" }
        }
        lines += warnings(plan["warnings"], paint)
        return lines
    }

    /// `~ resources.memory: 512 MiB → 1 GiB   (new replicas)`, one a field.
    package static func differences(_ list: [JSONValue], _ paint: Paint) -> [String] {
        list.map { difference in
            let field = difference["field"]?.text ?? "?"
            let (from, to) = (difference["from"], difference["to"])
            let edit = word(difference["edit"]?.text)
            let note = edit.isEmpty ? "" : paint("   (\(edit))", .dim)
            switch (from, to) {
            case (nil, let to?): return paint("+ \(field): \(value(to, field))", .green) + note
            case (let from?, nil): return paint("- \(field): \(value(from, field))", .red) + note
            default:
                return paint(
                    "~ \(field): \(value(from, field)) → \(value(to, field))", .yellow) + note
            }
        }
    }

    /// A value as it is said: sizes with their unit, lists as words.
    package static func value(_ value: JSONValue?, _ field: String) -> String {
        guard let value else { return "none" }
        let isSize = field.hasSuffix("memory") || field.hasSuffix("storage")
        if isSize, let bytes = value.number { return Words.bytes(bytes) }
        if case .array(let values) = value {
            let words = values.map { $0.text ?? $0.compact }
            if words.isEmpty { return "none" }
            return words.map { $0.contains(" ") || $0.isEmpty ? "\"\($0)\"" : $0 }
                .joined(separator: " ")
        }
        return value.text ?? value.compact
    }

    private static func consequences(_ plan: JSONValue) -> [String] {
        var lines: [String] = []
        let replicas = plan["replicas"]
        let (now, after, peak) = (
            whole(replicas?["now"]), whole(replicas?["after"]), whole(replicas?["peak"])
        )
        if plan["makes_revision"]?.boolean == true { lines.append("makes a new revision") }
        if let replaced = plan["replaced_replicas"]?.whole, replaced > 0 {
            lines.append(
                "replaces \(Words.count(Int(replaced), "replica")), up to \(peak) at a time")
        }
        if now != after { lines.append("replicas: \(now) → \(after)") }
        let steps = texts(plan["steps"])
        if !steps.isEmpty {
            lines.append("steps:")
            lines += steps.enumerated().map { "  \($0.offset + 1). \($0.element)" }
        }
        if let seconds = plan["expected_seconds"]?.number {
            if seconds > 0 {
                lines.append(
                    "takes about \(Words.span(seconds)) (\(plan["expected_basis"]?.text ?? ""))")
            }
        } else if plan["expected_basis"] != nil {
            lines.append("how long it takes is not known: \(plan["expected_basis"]?.text ?? "")")
        }
        return lines.isEmpty ? ["no replica starts or stops"] : lines
    }

    /// What is probably not meant, by field.
    package static func warnings(_ list: JSONValue?, _ paint: Paint) -> [String] {
        (list?.list ?? []).map { warning in
            let field = warning["field"]?.text.map { "\($0): " } ?? ""
            return paint("warning: ", .yellow) + field + (warning["message"]?.text ?? "")
        }
    }

    private static func whole(_ value: JSONValue?) -> Int { Int(clamping: value?.whole ?? 0) }

    private static func texts(_ value: JSONValue?) -> [String] {
        (value?.list ?? []).compactMap(\.text)
    }

    private static func word(_ edit: String?) -> String {
        switch edit {
        case "live": "live"
        case "restart": "new replicas"
        case "immutable": "never changes"
        case "via_update_model", "viaUpdateModel", "update_model": "updates the model"
        default: ""
        }
    }
}
