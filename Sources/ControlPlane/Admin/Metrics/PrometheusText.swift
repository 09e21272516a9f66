// Writes the Prometheus text format 0.0.4: each family once, HELP and TYPE first, its samples
// together, label values escaped.

struct PrometheusText {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    private(set) var text = ""
    private var family = ""

    mutating func begin(_ name: String, _ kind: Kind, _ help: String) {
        family = name
        text.append("# HELP \(name) \(PrometheusText.escaped(help, quotes: false))\n")
        text.append("# TYPE \(name) \(kind.rawValue)\n")
    }

    /// A sample of the family begun last; `suffix` for the parts of a histogram.
    mutating func sample(
        _ labels: [(String, String)], _ value: String, suffix: String = ""
    ) {
        text.append(family + suffix)
        if !labels.isEmpty {
            let pairs = labels.map { name, value in
                "\(name)=\"\(PrometheusText.escaped(value, quotes: true))\""
            }
            text.append("{\(pairs.joined(separator: ","))}")
        }
        text.append(" \(value)\n")
    }

    mutating func sample(_ labels: [(String, String)], _ value: some BinaryInteger) {
        sample(labels, "\(value)")
    }

    mutating func sample(_ labels: [(String, String)], _ value: Double) {
        sample(labels, "\(value)")
    }

    mutating func sample(_ value: some BinaryInteger) { sample([], "\(value)") }

    mutating func sample(_ value: Double) { sample([], "\(value)") }

    private static func escaped(_ value: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped.append("\\\\")
            case "\n": escaped.append("\\n")
            case "\"" where quotes: escaped.append("\\\"")
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
