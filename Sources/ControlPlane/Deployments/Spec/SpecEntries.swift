// A document laid flat: each value by the name of its field, with the place where it was written.
// Here other spellings become the one name, and what has no field is refused with the nearest one.

import Notation

struct SpecEntries {
    struct Entry {
        var value: JSONValue
        /// With the names as they were sent.
        var pointer: JSONPointer
    }

    private(set) var byField: [String: Entry] = [:]

    subscript(_ field: String) -> Entry? {
        get { byField[field] }
        set { byField[field] = newValue }
    }

    func has(_ field: String) -> Bool { byField[field] != nil }

    init() {}

    /// All that a spec shows.
    init(of spec: DeploymentSpec) {
        for field in DeploymentFields.all {
            guard let value = field.show(spec) else { continue }
            byField[field.name] = Entry(value: value, pointer: field.pointer)
        }
    }

    /// - Parameter isPatch: nulls take values out instead of being wrong.
    init(_ document: JSONValue, isPatch: Bool, faults: Faults) {
        guard let members = document.members else {
            faults.add(
                .wrongType, "\(document.kind) where an object is expected", at: JSONPointer())
            return
        }
        let names = Set(members.map { Spelling.snakeCase($0.name) })
        for member in members {
            if member.name == "replicas", names.isDisjoint(with: ["scaling_config", "scaling"]) {
                addReplicas(member.value, isPatch, faults)
            } else {
                add(SpecEntries.withoutShorthand(member), isPatch, faults)
            }
        }
    }

    private mutating func add(_ member: JSONValue.Member, _ isPatch: Bool, _ faults: Faults) {
        let pointer = JSONPointer([member.name])
        let name = Spelling.snakeCase(member.name)
        if let group = SpecNames.groups[name] {
            guard let inner = member.value.members else {
                let isRemoval = isPatch && member.value == .null
                if isRemoval { remove(group, pointer) }
                if !isRemoval {
                    let message = "\(member.value.kind) where an object is expected"
                    faults.add(.wrongType, message, at: pointer)
                }
                return
            }
            for field in inner { add(field, in: group, pointer, isPatch, faults) }
        } else {
            add(
                JSONValue.Member(name: member.name, value: member.value), in: nil, JSONPointer(),
                isPatch, faults)
        }
    }

    private mutating func add(
        _ member: JSONValue.Member, in group: String?, _ parent: JSONPointer, _ isPatch: Bool,
        _ faults: Faults
    ) {
        let pointer = parent.child(member.name)
        let name = Spelling.snakeCase(member.name)
        let prefix = group.map { "\($0)." } ?? ""
        guard let (field, alias) = SpecNames.fields[prefix + name] else {
            SpecNames.refuse(member.name, in: group, at: pointer, faults)
            return
        }
        if let other = byField[field.name] {
            let message =
                other.pointer == pointer
                ? "stands twice" : "says the same as '\(other.pointer)'; write one of them"
            faults.add(.duplicate, message, at: pointer)
            return
        }
        if member.value == .null, !isPatch {
            faults.add(.wrongType, "null; give it a value or leave it out", at: pointer)
            return
        }
        byField[field.name] = Entry(
            value: alias?.scaled(member.value) ?? member.value, pointer: pointer)
    }

    private mutating func remove(_ group: String, _ pointer: JSONPointer) {
        for field in DeploymentFields.all where field.path.first == group {
            byField[field.name] = Entry(value: .null, pointer: pointer)
        }
    }

    /// `replicas: 2` is a range of one.
    private mutating func addReplicas(
        _ value: JSONValue, _ isPatch: Bool, _ faults: Faults
    ) {
        let pointer = JSONPointer(["replicas"])
        if value == .null, !isPatch {
            faults.add(.wrongType, "null; give it a value or leave it out", at: pointer)
            return
        }
        byField["scaling_config.min_replicas"] = Entry(value: value, pointer: pointer)
        byField["scaling_config.max_replicas"] = Entry(value: value, pointer: pointer)
    }

    /// `strategy: rolling` is its type.
    private static func withoutShorthand(_ member: JSONValue.Member) -> JSONValue.Member {
        guard Spelling.snakeCase(member.name) == "strategy", case .string = member.value else {
            return member
        }
        return JSONValue.Member(name: member.name, value: .object(["type": member.value]))
    }
}

extension Field.Alias {
    /// Numbers in the field's own unit; anything else is for the field to judge.
    fileprivate func scaled(_ value: JSONValue) -> JSONValue {
        guard let scale, let number = value.number else { return value }
        return .decimal((number * scale).rounded())
    }
}

/// All names a document may use, made once from the table.
enum SpecNames {
    /// Canonical names of groups by every spelling.
    static let groups: [String: String] = Dictionary(
        DeploymentFields.groups.flatMap { group in
            ([group.name] + group.aliases).map { ($0, group.name) }
        }, uniquingKeysWith: { first, _ in first })

    /// `group.name` or `name` by every spelling.
    static let fields: [String: (Field, Field.Alias?)] = Dictionary(
        DeploymentFields.all.flatMap { field in
            let prefix = field.path.count > 1 ? "\(field.path[0])." : ""
            return [(field.name, (field, nil))]
                + field.aliases.map { (prefix + $0.name, (field, Optional($0))) }
        }, uniquingKeysWith: { first, _ in first })

    static func refuse(
        _ name: String, in group: String?, at pointer: JSONPointer, _ faults: Faults
    ) {
        let plain = Spelling.snakeCase(name)
        let quoted = Spelling.quoted(name)
        let path = group.map { "\($0).\(plain)" } ?? plain
        if DeploymentFields.reserved.contains(path) {
            faults.add(.notSupported, "\(quoted) is not supported yet", at: pointer)
            return
        }
        if group == nil, plain == "replicas" {
            faults.add(
                .conflict, "'scaling_config' is given, too; write one of them", at: pointer)
            return
        }
        if group == nil, DeploymentFields.readOnly.contains(plain) {
            let hint = plain == "spec" ? "; write its fields at the top" : ""
            faults.add(.readOnly, "\(quoted) cannot be set\(hint)", at: pointer)
            return
        }
        let known = names(in: group)
        var near = Spelling.nearest(to: plain, among: known)
        if near == nil || near != plain, let elsewhere = elsewhere(plain) { near = elsewhere }
        let hint =
            near.map { "did you mean '\($0)'?" } ?? "allowed: \(known.joined(separator: ", "))"
        faults.add(.unknownField, "unknown field \(quoted); \(hint)", at: pointer)
    }

    /// A field of this very name in another place.
    private static func elsewhere(_ name: String) -> String? {
        DeploymentFields.all.first { $0.path.last == name }?.name
            ?? fields.first { $0.key.hasSuffix(".\(name)") }?.value.0.name
    }

    private static func names(in group: String?) -> [String] {
        let own = DeploymentFields.all.filter { field in
            group == nil ? field.path.count == 1 : field.path.count > 1 && field.path[0] == group
        }.map { $0.path[$0.path.count - 1] }
        return group == nil ? own + DeploymentFields.groups.map(\.name) + ["replicas"] : own
    }
}

extension DeploymentFields {
    /// Whether what stands at this place of a document is text, so that a notation without types
    /// does not have to guess. Names as written.
    package static func wantsText(at path: [String]) -> Bool {
        guard let first = path.first else { return false }
        let isGrouped = SpecNames.groups[Spelling.snakeCase(first)] != nil && path.count > 1
        let names = path.prefix(isGrouped ? 2 : 1).map(Spelling.snakeCase)
        let canonical = isGrouped ? [SpecNames.groups[names[0]] ?? names[0], names[1]] : names
        guard let (field, _) = SpecNames.fields[canonical.joined(separator: ".")] else {
            return false
        }
        var schema = field.schema
        for _ in path.dropFirst(names.count) {
            schema = schema["items"] ?? schema["additionalProperties"] ?? .null
        }
        return schema["type"]?.text == "string"
    }
}
