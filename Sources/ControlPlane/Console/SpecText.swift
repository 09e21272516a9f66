// What is wanted of a deployment, as a document to read, edit and apply again: without what is
// empty, and, unless asked, without what is as it would be anyway.

import Deployments
package import Notation

package enum SpecText {
    /// - Parameter view: a deployment as the API tells it.
    package static func document(_ view: JSONValue, withDefaults: Bool) -> JSONValue {
        guard let spec = view["spec"] else { return .object([JSONValue.Member]()) }
        let isSized = spec["instance_type"] != nil
        var document = JSONValue.object([JSONValue.Member]())
        for field in DeploymentFields.all {
            guard let value = spec[path: field.path], !value.isEmpty else { continue }
            // A size is told by its name or by its numbers.
            if isSized, field.path[0] == "resources" { continue }
            if !withDefaults, value == standard(of: field, in: spec) { continue }
            document = document.setting(path: field.path, to: readable(value, field))
        }
        return shortened(document)
    }

    private static func standard(of field: Field, in spec: JSONValue) -> JSONValue? {
        // As many at most as at least, unless said otherwise.
        if field.name == "scaling_config.max_replicas" {
            let least = spec[path: ["scaling_config", "min_replicas"]]
            return least == 0 ? 1 : least
        }
        return field.defaultValue
    }

    /// Sizes with the unit that leaves no rest.
    private static func readable(_ value: JSONValue, _ field: Field) -> JSONValue {
        guard field.words.hasPrefix("size"), let bytes = value.whole, bytes > 0 else {
            return value
        }
        for (unit, size) in [("GiB", Int64(1) << 30), ("MiB", 1 << 20), ("GB", 1_000_000_000)]
        where bytes % size == 0 {
            return .string("\(bytes / size)\(unit)")
        }
        return value
    }

    /// `replicas: 2` where that says all of the scaling settings.
    private static func shortened(_ document: JSONValue) -> JSONValue {
        guard let scaling = document["scaling_config"]?.members, scaling.count == 1,
            let only = scaling.first, only.name == "min_replicas", only.value != 0
        else { return document }
        guard case .object(let members) = document else { return document }
        return .object(
            members.map { member in
                member.name == "scaling_config"
                    ? .init(name: FieldFlags.replicas, value: only.value) : member
            })
    }
}

extension JSONValue {
    fileprivate var isEmpty: Bool {
        switch self {
        case .string(let text): text.isEmpty
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}
