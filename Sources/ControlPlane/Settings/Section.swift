// A map of the file. It remembers which keys were asked for; what nobody asked for is unknown, and
// the keys asked for are the valid ones to suggest instead.

import Notation
import Yams

final class Section {
    let field: String
    let findings: Findings
    private let node: Node
    private var entries: [String: (key: Node, value: Node)] = [:]
    private var known: [String] = []

    /// Notes a problem and is nil when the value is no map.
    init?(_ value: Value) {
        guard case .mapping(let mapping) = value.node else {
            value.refuse("\(value.kind) where a map is expected")
            return nil
        }
        (field, findings, node) = (value.field, value.findings, value.node)
        for (key, value) in mapping {
            guard let name = key.string else {
                findings.add("a key must be a word", field: field, at: key)
                continue
            }
            let canonical = Spelling.snakeCase(name)
            if entries[canonical] != nil {
                findings.add("stands twice", field: path(canonical), at: key)
            }
            entries[canonical] = (key, value)
        }
    }

    /// The value of a key; nil when absent. A key without a value is a problem.
    subscript(_ key: String) -> Value? {
        known.append(key)
        guard let entry = entries[key] else { return nil }
        let value = Value(node: entry.value, field: path(key), findings: findings)
        guard !value.isNull else {
            findings.add(
                "has no value; give it one or remove the key", field: path(key), at: entry.key)
            return nil
        }
        return value
    }

    func required(_ key: String, _ hint: String) -> Value? {
        let value = self[key]
        if entries[key] == nil {
            findings.add("'\(key)' is missing; \(hint)", field: field, at: node)
        }
        return value
    }

    /// Reads a key into its place; a missing or refused one leaves the place as it is.
    func assign<Result>(
        _ key: String, _ target: inout Result, _ read: (Value) -> Result?
    ) {
        if let value = self[key], let result = read(value) { target = result }
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// Keys of the contract whose time has not come: refused, never ignored.
    func refuseUnsupported(_ keys: String...) {
        for key in keys {
            known.append(key)
            guard let entry = entries[key] else { continue }
            findings.add("not supported yet", field: path(key), at: entry.key)
        }
    }

    /// A key that is valid elsewhere; says where.
    func refuse(_ key: String, _ message: String) {
        guard let entry = entries[key] else { return }
        known.append(key)
        findings.add(message, field: path(key), at: entry.key)
    }

    /// A problem of the map as a whole.
    func refuse(_ message: String) {
        findings.add(message, field: field, at: node)
    }

    /// To be called last: what was not asked for is unknown.
    func finish() {
        for (name, entry) in entries where findings.hasRoom && !known.contains(name) {
            let written = entry.key.string ?? name
            let near = Spelling.nearest(to: name, among: known)
            let hint = near.map { "did you mean '\($0)'?" } ?? "allowed: \(allowed)"
            findings.add(
                "unknown key \(Spelling.quoted(written)); \(hint)", field: field, at: entry.key)
        }
    }

    private var allowed: String { known.joined(separator: ", ") }

    private func path(_ key: String) -> String {
        field.isEmpty ? key : "\(field).\(key)"
    }
}

extension Value {
    /// Reads a map, then refuses its unknown keys.
    func section<Result>(_ read: (Section) -> Result?) -> Result? {
        guard let section = Section(self) else { return nil }
        let result = read(section)
        section.finish()
        return result
    }
}
