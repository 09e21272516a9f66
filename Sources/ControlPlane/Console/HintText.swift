// What the API advises its callers, as the command line would say it: whoever typed a verb wants
// the next verb, not a method and a path.

package enum HintText {
    /// - Returns: nil when there is nothing a person could type.
    package static func typed(_ hint: String) -> String? {
        if hint.hasPrefix("GET ") { return nil }
        var text = hint
        // Both ways are told: ours is the second.
        if let range = text.firstRange(of: ", or: penstock ") {
            text = "penstock " + text[range.upperBound...]
        }
        text = text.replacing("GET /v1/whoami", with: "penstock whoami")
            .replacing("?takeOver=true or --take-over", with: "--take-over")
        guard let range = text.firstRange(of: "POST /v1/models/") else { return text }
        let path = text[range.upperBound...].prefix { $0 != " " }
        let rest = text[range.upperBound...].dropFirst(path.count)
        let parts = path.split { $0 == "/" || $0 == ":" }.map(String.init)
        let command =
            parts.count == 4 && parts[3] == "deploy"
            ? "penstock models deploy \(parts[0]) \(parts[2]) --to …"
            : "penstock models register \(parts.first ?? "MODEL") VERSION --artifact FILE"
        let tail = rest.hasPrefix(" {") ? "" : String(rest)
        return text[..<range.lowerBound] + command + tail
    }
}
