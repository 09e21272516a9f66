// What one value may be: how it is read, shown, described to a program (JSON Schema) and to people.
// Reading either yields a value or notes a fault and yields nil; it never guesses.

package import Notation

package struct Form<Value: Sendable>: Sendable {
    package let read: @Sendable (JSONValue, Place) -> Value?
    package let show: @Sendable (Value) -> JSONValue?
    /// JSON Schema 2020-12, as OpenAPI 3.1 takes it.
    package let schema: JSONValue
    /// Type and range in a table cell.
    package let words: String

    package init(
        _ words: String, schema: JSONValue, show: @escaping @Sendable (Value) -> JSONValue?,
        read: @escaping @Sendable (JSONValue, Place) -> Value?
    ) {
        self.words = words
        self.schema = schema
        self.show = show
        self.read = read
    }

    /// The same for a property that may be nil; nil is not shown.
    package var optional: Form<Value?> {
        Form<Value?>(words, schema: schema, show: { $0.flatMap(show) }) { value, place in
            read(value, place).map(Optional.some)
        }
    }

    /// The same with a rule of its own after reading.
    func checked(_ rule: @escaping @Sendable (Value, Place) -> Bool) -> Form {
        Form(words, schema: schema, show: show) { value, place in
            guard let result = read(value, place), rule(result, place) else { return nil }
            return result
        }
    }
}

extension Form<Bool> {
    package static let boolean = Form(
        "true, false", schema: .object(["type": "boolean"]), show: { .bool($0) }
    ) { value, place in
        guard let boolean = value.boolean else {
            place.wrongType(value, wanted: "true or false")
            return nil
        }
        return boolean
    }
}

extension Form<Int> {
    package static func whole(_ allowed: ClosedRange<Int>, unit: String = "") -> Form {
        let range = "\(allowed.lowerBound) to \(allowed.upperBound)" + unit
        let schema = JSONValue.object([
            "type": "integer", "minimum": .count(allowed.lowerBound),
            "maximum": .count(allowed.upperBound),
        ])
        return Form(range, schema: schema, show: { .count($0) }) { value, place in
            guard value.number != nil else {
                place.wrongType(value, wanted: "a whole number (\(range))")
                return nil
            }
            guard let number = value.whole.flatMap({ Int(exactly: $0) }), allowed.contains(number)
            else {
                place.refuse(
                    .outOfRange, "\(value.compact) is not allowed; allowed: whole numbers \(range)")
                return nil
            }
            return number
        }
    }
}

extension Form where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words; spaces, dashes and capitals do not matter.
    ///
    /// - Parameter reserved: words whose time has not come: refused, but as that.
    package static func word(
        _ type: Value.Type, spellings: [String: Value] = [:], reserved: Set<String> = []
    ) -> Form {
        let words = type.allCases.map(\.rawValue)
        let schema = JSONValue.object(["type": "string", "enum": .texts(words)])
        return Form(
            words.joined(separator: ", "), schema: schema, show: { .string($0.rawValue) }
        ) { value, place in
            guard let text = value.text else {
                place.wrongType(value, wanted: Spelling.alternatives(words))
                return nil
            }
            let plain = text.lowercased().replacing(" ", with: "_").replacing("-", with: "_")
            if let word = Value(rawValue: plain) ?? spellings[plain] { return word }
            let allowed = "allowed: " + words.joined(separator: ", ")
            if reserved.contains(plain) {
                place.refuse(
                    .notSupported, "\(Spelling.quoted(text)) is not supported yet; \(allowed)")
                return nil
            }
            let near = Spelling.nearest(to: plain, among: words)
            let hint = near.map { "did you mean '\($0)'? " } ?? ""
            place.refuse(
                .invalid,
                "\(Spelling.quoted(text)) is not allowed; \(hint)\(allowed)")
            return nil
        }
    }
}
