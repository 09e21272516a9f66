// RFC 7396 over a deployment: what a patch names is changed, null takes back to the default, the
// rest stays. Alternatives replace each other, since the pure merge could only be refused: a new
// size drops the old one's numbers.

package import Notation

package struct SpecPatch: Sendable {
    package enum Purpose: Sendable {
        case edit
        /// May change the version and the artifact, and keeps what the patch does not name.
        case updateModel
    }

    package var context: SpecContext
    package var purpose: Purpose

    package init(_ context: SpecContext = SpecContext(), purpose: Purpose = .edit) {
        self.context = context
        self.purpose = purpose
    }

    package struct Result: Sendable, Equatable {
        package var spec: DeploymentSpec
        package var summary: EditSummary
    }

    /// - Throws: every problem of the patch, fields that cannot be changed this way among them.
    package func apply(
        _ patch: JSONValue, to spec: DeploymentSpec
    ) throws(SpecProblems) -> Result {
        let faults = Faults()
        let changes = SpecEntries(patch, isPatch: true, faults: faults)
        try faults.throwIfAny()
        var entries = SpecEntries(of: spec)
        dropAlternatives(of: changes, from: &entries, spec)
        for (name, change) in changes.byField {
            entries[name] = merged(entries[name], change)
        }
        let next = SpecReader(context).read(entries, faults)
        refuseFixed(changes, faults, from: spec, to: next)
        try faults.throwIfAny()
        return Result(spec: next, summary: EditSummary(from: spec, to: next))
    }

    private func merged(
        _ old: SpecEntries.Entry?, _ change: SpecEntries.Entry
    ) -> SpecEntries.Entry? {
        guard change.value != .null else { return nil }
        guard change.value.members != nil else { return change }
        let value = (old?.value ?? .null).patched(with: change.value)
        return SpecEntries.Entry(value: value, pointer: change.pointer)
    }

    private func dropAlternatives(
        of changes: SpecEntries, from entries: inout SpecEntries, _ spec: DeploymentSpec
    ) {
        let sizes = DeploymentFields.all.filter { $0.path[0] == "resources" }.map(\.name)
        if let type = changes["instance_type"], type.value != .null {
            for name in sizes { entries[name] = nil }
        } else if sizes.contains(where: changes.has) {
            entries["instance_type"] = nil
        }
    }

    private func refuseFixed(
        _ changes: SpecEntries, _ faults: Faults, from old: DeploymentSpec, to new: DeploymentSpec
    ) {
        for field in DeploymentFields.all where field.differs(old, new) {
            let pointer = changes[field.name]?.pointer ?? field.pointer
            switch field.edit {
            case .live, .restart: continue
            case .viaUpdateModel where purpose == .updateModel: continue
            case .viaUpdateModel:
                faults.add(
                    .useUpdateModel, "'\(field.name)' changes by updating the model only",
                    at: pointer)
                faults.hint = FixedFieldHint.updateModel(old.name)
            case .immutable:
                faults.add(
                    .immutable, "'\(field.name)' never changes (it is \(shown(field, old)))",
                    at: pointer)
                faults.hint = faults.hint ?? FixedFieldHint.of(field, old)
            }
        }
    }

    private func shown(_ field: Field, _ spec: DeploymentSpec) -> String {
        field.show(spec)?.compact ?? "unset"
    }
}

/// The right command for what a patch cannot do.
enum FixedFieldHint {
    static func updateModel(_ name: String) -> String {
        "POST /v1/deployments/\(name):updateModel {\"version\": …}, or: "
            + "penstock update \(name) --version …"
    }

    static func of(_ field: Field, _ spec: DeploymentSpec) -> String {
        switch field.name {
        case "environment":
            "promote the version: POST /v1/models/\(spec.model)/versions/\(spec.version):deploy "
                + "{\"environment\": …}"
        case "model":
            "create another deployment for the other model"
        default:
            "create a deployment of the new name, shift the traffic, delete this one"
        }
    }
}
