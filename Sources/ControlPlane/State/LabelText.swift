// Labels in one column: sorted lines `key=value`, each with a newline before and after, so that
// "has the label" is a search for a substring, and reading 500 documents parses no JSON.

enum LabelText {
    static func encode(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "" }
        let lines = labels.map { "\($0.key)=\($0.value)" }.sorted()
        return "\n" + lines.joined(separator: "\n") + "\n"
    }

    static func decode(_ text: String) -> [String: String] {
        if text.isEmpty { return [:] }
        var labels: [String: String] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(Substring(line[..<equals]))
            labels[key] = String(Substring(line[line.index(after: equals)...]))
        }
        return labels
    }

    /// What the encoded text contains if, and only if, it has the label.
    static func needle(_ key: String, _ value: String) -> String { "\n\(key)=\(value)\n" }
}
