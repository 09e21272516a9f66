// What is different between two revisions, or two specs, field by field in the table's order.

package import Notation

package struct FieldDifference: Sendable, Equatable {
    /// `resources.memory`, `env.LOG_LEVEL`, `artifact.sha256`.
    package var path: String
    /// Nil where there was nothing.
    package var from: JSONValue?
    package var to: JSONValue?
    package var edit: EditClass
}

extension FieldDifference {
    package static func between(
        _ old: DeploymentSpec, and new: DeploymentSpec
    ) -> [FieldDifference] {
        between(old.document, and: new.document)
    }

    static func between(_ old: JSONValue, and new: JSONValue) -> [FieldDifference] {
        DeploymentFields.all.flatMap { field in
            let (before, after) = (old[path: field.path], new[path: field.path])
            return between(before, and: after, of: field)
        }
    }

    /// Maps are told key by key; anything else whole.
    private static func between(
        _ before: JSONValue?, and after: JSONValue?, of field: Field
    ) -> [FieldDifference] {
        if before == after { return [] }
        guard field.schema["type"]?.text == "object" else {
            return [FieldDifference(path: field.name, from: before, to: after, edit: field.edit)]
        }
        let names = Set((before?.members ?? []).map(\.name) + (after?.members ?? []).map(\.name))
        return names.sorted().compactMap { name in
            let (was, now) = (before?[name], after?[name])
            guard was != now else { return nil }
            return FieldDifference(
                path: "\(field.name).\(name)", from: was, to: now, edit: field.edit)
        }
    }
}

extension Revision {
    /// From this one to another.
    package func difference(to other: Revision) -> [FieldDifference] {
        var list = FieldDifference.between(content.document, and: other.content.document)
        let facts: [(String, (ResolvedFacts) -> String?)] = [
            ("artifact.sha256", { $0.artifact?.sha256 }), ("config.sha256", { $0.configDigest }),
        ]
        for (path, fact) in facts {
            let (before, after) = (fact(content.facts), fact(other.content.facts))
            guard before != after else { continue }
            list.append(
                FieldDifference(
                    path: path, from: before.map(JSONValue.string),
                    to: after.map(JSONValue.string), edit: .restart))
        }
        return list
    }
}
