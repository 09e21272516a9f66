// Forms of whole documents inside a body: a strategy, a patch, a digest.

package import Notation

extension Form<StrategySpec> {
    /// As the `strategy` of a deployment: an object, or its type alone.
    package static let strategy = Form(
        "a strategy", schema: SpecSchema.strategy, show: { $0.document }
    ) { value, place in
        let faults = Faults()
        let entries = SpecEntries(
            .object([.init(name: "strategy", value: value)]), isPatch: false, faults: faults)
        var spec = DeploymentSpec.blank
        for field in DeploymentFields.strategy {
            guard let entry = entries[field.name] else { continue }
            let inner = Place(pointer: entry.pointer, faults: faults, context: place.context)
            field.read(entry.value, at: inner, into: &spec)
        }
        SpecRules(spec: spec, entries: entries, faults: faults).checkStrategy()
        for problem in faults.problems {
            // Its pointers begin with the member's own name.
            let parts = (JSONPointer(problem.pointer)?.parts ?? []).dropFirst()
            let pointer = JSONPointer(place.pointer.parts + parts)
            place.faults.add(problem.code, problem.message, at: pointer)
        }
        return faults.problems.isEmpty ? spec.strategy : nil
    }
}

extension Form<JSONValue> {
    /// An object that somebody else reads.
    package static let anyObject = Form(
        "an object", schema: .object(["type": "object"]), show: { $0 }
    ) { value, place in
        guard value.members != nil else {
            place.wrongType(value, wanted: "an object")
            return nil
        }
        return value
    }
}

extension Form<String> {
    /// SHA-256 in lower-case hexadecimal.
    package static let sha256 = Form.matching(
        "^[0-9a-f]{64}$", 64...64, rule: "hexadecimal digits in lower case"
    ) { text in
        text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
