// From a document to a spec, whole or not at all, and back. The same for a body of the API, a
// deployment of the file and a document of the store; only the context differs.

package import Notation

package struct SpecReader: Sendable {
    package var context: SpecContext

    package init(_ context: SpecContext = SpecContext()) {
        self.context = context
    }

    /// - Throws: every problem of the document.
    package func read(_ document: JSONValue) throws(SpecProblems) -> DeploymentSpec {
        let faults = Faults()
        let entries = SpecEntries(document, isPatch: false, faults: faults)
        let spec = read(entries, faults)
        try faults.throwIfAny()
        return spec
    }

    /// Reads what is there, fills in what is not, and checks the rules between fields.
    func read(_ given: SpecEntries, _ faults: Faults) -> DeploymentSpec {
        var entries = given
        let size = instanceSize(entries, faults)
        if let size { fill(&entries, with: size) }
        var spec = DeploymentSpec.blank
        for field in DeploymentFields.all {
            guard let entry = entries[field.name] else {
                if field.isRequired { missing(field, entries, faults) }
                continue
            }
            let place = Place(pointer: entry.pointer, faults: faults, context: context)
            field.read(entry.value, at: place, into: &spec)
        }
        if !entries.has("scaling_config.max_replicas") {
            spec.scaling.maxReplicas = max(1, spec.scaling.minReplicas)
        }
        SpecRules(spec: spec, entries: entries, faults: faults).check(size: size)
        return spec
    }

    private func missing(_ field: Field, _ entries: SpecEntries, _ faults: Faults) {
        // An unknown instance type is told once, not as missing cores and memory.
        if field.path[0] == "resources", entries.has("instance_type") { return }
        let hint = field.path[0] == "resources" ? "; or choose an 'instance_type'" : ""
        faults.add(
            .missing, "'\(field.name)' is missing: \(field.explanation)\(hint)",
            at: field.pointer)
    }

    private func instanceSize(_ entries: SpecEntries, _ faults: Faults) -> Resources? {
        guard let catalogue = context.catalogue, let entry = entries["instance_type"],
            let name = entry.value.text
        else { return nil }
        if let size = catalogue[name: name] { return size }
        let names = catalogue.entries.map(\.name)
        let near = Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'? " } ?? ""
        faults.add(
            .invalid,
            "there is no instance type \(Spelling.quoted(name)); \(near)allowed: "
                + names.joined(separator: ", "), at: entry.pointer)
        return nil
    }

    private func fill(_ entries: inout SpecEntries, with size: Resources) {
        guard let pointer = entries["instance_type"]?.pointer else { return }
        var sized = DeploymentSpec.blank
        sized.resources = size
        for field in DeploymentFields.all where field.path[0] == "resources" {
            guard !entries.has(field.name), let value = field.show(sized) else { continue }
            entries[field.name] = SpecEntries.Entry(value: value, pointer: pointer)
        }
    }
}

extension DeploymentSpec {
    /// The whole of it: defaults included, in the order of the table.
    package var document: JSONValue { document { _ in true } }

    func document(of isWanted: (Field) -> Bool) -> JSONValue {
        var top: [JSONValue.Member] = []
        var groups: [String: [JSONValue.Member]] = [:]
        for field in DeploymentFields.all where isWanted(field) {
            guard let value = field.show(self) else { continue }
            let name = field.path[0]
            if field.path.count == 1 {
                top.append(JSONValue.Member(name: name, value: value))
            } else {
                // Its place is that of its first field.
                if groups[name] == nil { top.append(.init(name: name, value: .null)) }
                groups[name, default: []].append(.init(name: field.path[1], value: value))
            }
        }
        return .object(
            top.map { member in
                groups[member.name].map { .init(name: member.name, value: .object($0)) } ?? member
            })
    }
}

extension DeploymentSpec: Codable {
    package init(from decoder: any Decoder) throws {
        var document = try JSONValue(from: decoder)
        if let strategy = document["strategy"] {
            document = document.setting("strategy", to: StrategySpec.effective(strategy))
        }
        self = try SpecReader(.stored).read(document)
    }

    package func encode(to encoder: any Encoder) throws {
        try document.encode(to: encoder)
    }
}
