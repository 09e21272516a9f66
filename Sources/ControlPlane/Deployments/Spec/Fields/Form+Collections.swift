// Lists and maps of values. A fault names the element: `/env/PORT`, `/command/2`. The rule for
// the names of a map stands beside it.

import Notation

extension Form {
    /// A list; each element has its own place.
    package static func list<Element>(
        of element: Form<Element>, _ count: ClosedRange<Int>, what: String
    ) -> Form<[Element]> where Value == [Element] {
        let schema = JSONValue.object([
            "type": "array", "items": element.schema,
            "minItems": count.lowerBound > 0 ? .count(count.lowerBound) : nil,
            "maxItems": .count(count.upperBound),
        ])
        return Form<[Element]>(
            "list of \(count.lowerBound) to \(count.upperBound) \(what)", schema: schema,
            show: { .array($0.compactMap(element.show)) }
        ) { value, place in
            guard case .array(let values) = value else {
                place.wrongType(value, wanted: "a list of \(what)")
                return nil
            }
            guard count.contains(values.count) else {
                let isShort = values.count < count.lowerBound
                place.refuse(
                    isShort ? .outOfRange : .tooMany,
                    "\(values.count) of \(what); allowed: \(count.lowerBound) to "
                        + "\(count.upperBound)")
                return nil
            }
            let elements = values.enumerated().compactMap { index, value in
                element.read(value, place.child(index))
            }
            return elements.count == values.count ? elements : nil
        }
    }

    /// A map by name; `key` is the rule for names.
    static func map<Element>(
        of element: Form<Element>, key: MapKey, atMost most: Int, what: String
    ) -> Form<[String: Element]> where Value == [String: Element] {
        let schema = JSONValue.object([
            "type": "object", "additionalProperties": element.schema,
            "propertyNames": .object([
                "pattern": .string(key.pattern), "maxLength": .count(key.charactersMax),
            ]),
            "maxProperties": .count(most),
        ])
        return Form<[String: Element]>(
            "map of up to \(most) \(what)", schema: schema,
            show: { map in
                .object(
                    map.sorted { $0.key < $1.key }.compactMap { name, value in
                        element.show(value).map { .init(name: name, value: $0) }
                    })
            }
        ) { value, place in
            guard let members = value.members else {
                place.wrongType(value, wanted: "a map of \(what)")
                return nil
            }
            guard members.count <= most else {
                place.refuse(.tooMany, "\(members.count) \(what); allowed: \(most)")
                return nil
            }
            var map: [String: Element] = [:]
            for member in members {
                let place = place.child(member.name)
                guard key.isMatch(member.name) else {
                    place.refuse(
                        .invalid, "\(Spelling.quoted(member.name)) is no name; allowed: \(key.rule)"
                    )
                    continue
                }
                map[member.name] = element.read(member.value, place)
            }
            return map.count == members.count ? map : nil
        }
    }
}

/// What the names of a map may be.
struct MapKey: Sendable {
    let pattern: String
    let charactersMax: Int
    let rule: String
    let isMatch: @Sendable (String) -> Bool

    /// POSIX environment variables.
    static let variable = MapKey(
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$", charactersMax: Limits.variableNameCharacters,
        rule: "letters, digits and '_', no digit first, up to \(Limits.variableNameCharacters)"
    ) { name in
        guard let first = name.utf8.first, !(48...57).contains(first),
            name.utf8.count <= Limits.variableNameCharacters
        else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 48...57, 65...90, 95, 97...122: true
            default: false
            }
        }
    }

    static let label = MapKey(
        pattern: "^[A-Za-z0-9][A-Za-z0-9._/-]*$", charactersMax: Limits.labelNameCharacters,
        rule: "letters, digits, '-', '_', '.' and '/', a letter or digit first, up to "
            + "\(Limits.labelNameCharacters)"
    ) { name in
        name.utf8.count <= Limits.labelNameCharacters
            && Form<String>.isName(name.replacing("/", with: "-"))
    }
}

extension Form<[String: String]> {
    /// Environment variables by name.
    package static let variableMap = Form.map(
        of: .text(0...Limits.variableCharacters, lines: true), key: .variable,
        atMost: Limits.variables, what: "variables")
}

extension Form<String> {
    /// Anything a variable can hold, and not nothing.
    package static let secretValue = Form.text(1...Limits.secretCharacters, lines: true)
}

extension Form<Reference> {
    /// `name`, or `name#version`.
    static let reference = Form(
        "name or name#version",
        schema: .object([
            "type": "string", "minLength": 1, "maxLength": .count(2 * Limits.nameCharacters + 1),
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*(#[A-Za-z0-9][A-Za-z0-9._-]*)?$",
        ]), show: { .string($0.description) }
    ) { value, place in
        guard let text = value.text else {
            place.wrongType(value, wanted: "a reference such as \"hf-token\" or \"hf-token#3\"")
            return nil
        }
        let parts = text.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy(Form<String>.isName),
            parts.allSatisfy({ $0.utf8.count <= Limits.nameCharacters })
        else {
            place.refuse(
                .invalid,
                "\(Spelling.quoted(text)) is no reference; write a name, or name#version")
            return nil
        }
        return Reference(name: parts[0], version: parts.count > 1 ? parts[1] : nil)
    }
}
