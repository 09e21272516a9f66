// An operation while it is at work, and what it came to, in a line each.

package import Notation

package enum OperationText {
    /// `iris: update  2/4  1 of 2 replicas ready, 1 to leave  12s`.
    package static func progress(_ operation: JSONValue, at now: Double) -> String {
        let total = operation[path: ["progress", "total"]]?.whole ?? 0
        let steps = total > 0 ? "\(bar(operation))  " : ""
        let age = Words.age(of: operation["created_at"], at: now)
        return "\(title(operation))  \(steps)\(message(operation).visibleLine)  \(age)"
    }

    /// The same without what changes with every glance, for a log.
    package static func step(_ operation: JSONValue) -> String {
        let said = message(operation)
        return "\(title(operation)): \(said.isEmpty ? "has begun" : said)"
    }

    package static func title(_ operation: JSONValue) -> String {
        let action = (operation["action"]?.text ?? "change").replacing("_", with: " ")
        return "\(operation["deployment"]?.text ?? "?"): \(action)"
    }

    private static func message(_ operation: JSONValue) -> String {
        operation[path: ["progress", "message"]]?.text ?? ""
    }

    private static func bar(_ operation: JSONValue) -> String {
        let done = Int(clamping: operation[path: ["progress", "done"]]?.whole ?? 0)
        let total = Int(clamping: operation[path: ["progress", "total"]]?.whole ?? 0)
        let cells = 10
        let full = total == 0 ? 0 : max(0, min(cells, cells * done / total))
        return String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
            + " \(done)/\(total)"
    }

    /// What it has come to, for whoever waited.
    package static func outcome(_ operation: JSONValue, _ paint: Paint) -> String {
        let took = Tables.took(operation)
        let within = took.isEmpty ? "" : " after \(took)"
        let error = operation[path: ["error", "message"]]?.text ?? message(operation)
        switch operation["state"]?.text {
        case "succeeded":
            let said = message(operation)
            return paint("✓ ", .green) + title(operation) + " done\(within)"
                + (said.isEmpty ? "" : ": \(said)")
        case "cancelled": return paint("✗ ", .red) + title(operation) + " cancelled: \(error)"
        default:
            let back =
                operation["rolled_back"]?.boolean == true
                ? "; rolled back, the revision before serves" : ""
            return paint("✗ ", .red) + title(operation) + " failed\(within): \(error)\(back)"
        }
    }
}
