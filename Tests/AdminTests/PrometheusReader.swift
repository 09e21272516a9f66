// A strict reader of the Prometheus text format 0.0.4, for judging what `/metrics` writes.
// It refuses more than Prometheus does: series and families that stand twice, stray samples.

import Testing

struct PrometheusReader {
    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Malformed: Error {
        var line: String
        var reason: String
    }

    private(set) var kinds: [String: String] = [:]
    private(set) var samples: [Sample] = []
    private var family = ""
    private var seen = Set<String>()

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: "", reason: "no last line feed") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            try read(String(line))
        }
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    private mutating func read(_ line: String) throws {
        if line.hasPrefix("# HELP ") {
            family = String(line.dropFirst(7).prefix { $0 != " " })
            guard seen.insert(family).inserted else {
                throw Malformed(line: line, reason: "the family stands twice")
            }
        } else if line.hasPrefix("# TYPE ") {
            let parts = line.dropFirst(7).split(separator: " ").map(String.init)
            guard parts.count == 2, parts[0] == family, kinds[family] == nil,
                ["counter", "gauge", "histogram"].contains(parts[1])
            else { throw Malformed(line: line, reason: "no TYPE of the family above") }
            kinds[family] = parts[1]
        } else {
            try readSample(line)
        }
    }

    private mutating func readSample(_ line: String) throws {
        var rest = line[...]
        let name = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        rest = rest.dropFirst(name.count)
        let suffixes = kinds[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { family + $0 == name }) else {
            throw Malformed(line: line, reason: "not of the family \(family)")
        }
        var labels: [String: String] = [:]
        if rest.first == "{" { labels = try readLabels(&rest, line) }
        guard rest.first == " ", let value = Self.number(rest.dropFirst()) else {
            throw Malformed(line: line, reason: "no value")
        }
        let sample = Sample(name: name, labels: labels, value: value)
        guard !samples.contains(where: { $0.name == name && $0.labels == labels }) else {
            throw Malformed(line: line, reason: "the series stands twice")
        }
        samples.append(sample)
    }

    private func readLabels(_ rest: inout Substring, _ line: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        repeat {
            rest = rest.dropFirst()
            let name = String(rest.prefix { $0 != "=" })
            rest = rest.dropFirst(name.count)
            guard rest.hasPrefix("=\"") else { throw Malformed(line: line, reason: "no quote") }
            rest = rest.dropFirst(2)
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\" else {
                    value.append(character)
                    continue
                }
                switch rest.popFirst() {
                case "n": value.append("\n")
                case "\"": value.append("\"")
                case "\\": value.append("\\")
                default: throw Malformed(line: line, reason: "no such escape")
                }
            }
            guard labels.updateValue(value, forKey: name) == nil else {
                throw Malformed(line: line, reason: "the label stands twice")
            }
        } while rest.first == ","
        guard rest.popFirst() == "}" else { throw Malformed(line: line, reason: "no bracket") }
        return labels
    }

    private static func number(_ text: Substring) -> Double? {
        text == "+Inf" ? .infinity : Double(text)
    }
}
