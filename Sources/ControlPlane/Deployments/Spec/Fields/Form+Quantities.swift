// Quantities: cores, sizes, times and shares. A number is in the field's unit; text says its own
// unit (`512MiB`, `5s`, `25%`). They are shown as numbers, so that a program needs no parser.

import Notation
import Traffic

extension Form<Int> {
    /// Cores to a thousandth, kept as thousandths.
    static let cores = Form(
        "0.01 to 1024 cores, steps of 0.001",
        schema: .object(["type": "number", "minimum": .number(0.01), "maximum": 1024]),
        show: { .decimal(Double($0) / 1000) }
    ) { value, place in
        guard let number = value.number else {
            place.wrongType(value, wanted: "a number of cores (0.01 to 1024)")
            return nil
        }
        guard (0.01...1024).contains(number) else {
            place.refuse(.outOfRange, "\(value.compact) is not allowed; allowed: 0.01 to 1024")
            return nil
        }
        let thousandths = (number * 1000).rounded()
        guard abs(number * 1000 - thousandths) < 1e-6 else {
            place.refuse(.outOfRange, "\(value.compact) is not allowed; allowed: steps of 0.001")
            return nil
        }
        return Int(thousandths)
    }

    /// A share of requests in thousandths: `0.01` or `"1%"`.
    static let share = Form(
        "0 to 1, or 0% to 100%, steps of a thousandth",
        schema: .object([
            "anyOf": .array([
                .object(["type": "number", "minimum": 0, "maximum": 1]),
                .object(["type": "string", "pattern": #"^[0-9]{1,3}(\.[0-9])?%$"#]),
            ])
        ]),
        show: { .decimal(Double($0) / 1000) }
    ) { value, place in
        let share = value.number ?? value.text.flatMap(Quantity.share)
        guard value.number != nil || value.text != nil else {
            place.wrongType(value, wanted: "a share such as 0.01 or \"1%\"")
            return nil
        }
        guard let share, (0...1).contains(share) else {
            place.refuse(
                .outOfRange, "\(value.compact) is not allowed; allowed: 0 to 1, or 0% to 100%")
            return nil
        }
        let thousandths = (share * 1000).rounded()
        guard abs(share * 1000 - thousandths) < 1e-6 else {
            place.refuse(
                .outOfRange, "\(value.compact) is not allowed; allowed: steps of 0.001 (0.1%)")
            return nil
        }
        return Int(thousandths)
    }
}

extension Form<Int64> {
    /// Bytes, as a whole number or with a unit.
    static func size(_ allowed: ClosedRange<Int64>, spelled range: String) -> Form {
        Form(
            "size, \(range)",
            schema: .object([
                "anyOf": .array([
                    .object([
                        "type": "integer", "minimum": .count(allowed.lowerBound),
                        "maximum": .count(allowed.upperBound),
                    ]),
                    .object([
                        "type": "string",
                        "pattern": #"^[0-9]{1,15}(\.[0-9]{1,3})?([KMGTkmgt]?[iI]?[bB])?$"#,
                    ]),
                ])
            ]),
            show: { .integer($0) }
        ) { value, place in
            guard value.number != nil || value.text != nil else {
                place.wrongType(value, wanted: "a size such as 536870912 or \"512MiB\"")
                return nil
            }
            if let text = value.text, Quantity.size(text) == nil {
                place.refuse(
                    .invalid,
                    "\(Spelling.quoted(text)) is no size; write bytes, or a number and KB, MB, GB, "
                        + "KiB, MiB or GiB; allowed: \(range)")
                return nil
            }
            let bytes = value.whole ?? value.text.flatMap(Quantity.size).map(Int64.init(clamping:))
            guard let bytes, allowed.contains(bytes) else {
                place.refuse(.outOfRange, "\(value.compact) is not allowed; allowed: \(range)")
                return nil
            }
            return bytes
        }
    }
}

extension Form<Duration> {
    /// Seconds to the millisecond, or a duration with its unit.
    package static func seconds(_ allowed: ClosedRange<Duration>) -> Form {
        time(allowed, perUnit: 1000, wanted: "seconds such as 5, or a duration such as \"500ms\"")
    }

    static func milliseconds(_ allowed: ClosedRange<Duration>) -> Form {
        time(allowed, perUnit: 1, wanted: "milliseconds such as 250, or a duration such as \"1s\"")
    }

    private static func time(
        _ allowed: ClosedRange<Duration>, perUnit: Int64, wanted: String
    ) -> Form {
        let range = "\(allowed.lowerBound.spelled) to \(allowed.upperBound.spelled)"
        let unit = perUnit == 1000 ? "seconds" : "milliseconds"
        return Form(
            "\(unit), \(range)",
            schema: .object([
                "anyOf": .array([
                    .object([
                        "type": "number",
                        "minimum": .decimal(allowed.lowerBound.milliseconds / Double(perUnit)),
                        "maximum": .decimal(allowed.upperBound.milliseconds / Double(perUnit)),
                    ]),
                    .object([
                        "type": "string", "pattern": #"^[0-9]{1,9}(\.[0-9]{1,3})?(ms|s|m|h)$"#,
                    ]),
                ])
            ]),
            show: { .decimal($0.milliseconds / Double(perUnit)) }
        ) { value, place in
            let duration: Duration?
            if let number = value.number {
                let milliseconds = (number * Double(perUnit)).rounded()
                duration = abs(milliseconds) < 1e15 ? .milliseconds(Int64(milliseconds)) : nil
            } else if let text = value.text {
                duration = Quantity.duration(text)
                if duration == nil {
                    place.refuse(
                        .invalid,
                        "\(Spelling.quoted(text)) is no duration; write \(wanted); "
                            + "allowed: \(range)")
                    return nil
                }
            } else {
                place.wrongType(value, wanted: wanted)
                return nil
            }
            guard let duration, allowed.contains(duration) else {
                place.refuse(.outOfRange, "\(value.compact) is not allowed; allowed: \(range)")
                return nil
            }
            return duration
        }
    }
}

extension Form<CountOrShare> {
    /// `2` replicas, or `"25%"` of them.
    static func countOrShare(_ allowed: ClosedRange<Int>) -> Form {
        let range = "\(allowed.lowerBound) to \(allowed.upperBound), or 0% to 100%"
        return Form(
            range,
            schema: .object([
                "anyOf": .array([
                    .object([
                        "type": "integer", "minimum": .count(allowed.lowerBound),
                        "maximum": .count(allowed.upperBound),
                    ]),
                    .object(["type": "string", "pattern": #"^[0-9]{1,3}(\.[0-9])?%$"#]),
                ])
            ]),
            show: { value in
                switch value {
                case .count(let count): .count(count)
                case .share(let thousandths): .string(JSONValue.percent(thousandths).compact + "%")
                }
            }
        ) { value, place in
            guard value.number != nil || value.text != nil else {
                place.wrongType(value, wanted: "a count or a share such as \"25%\"")
                return nil
            }
            if let whole = value.whole, let count = Int(exactly: whole), allowed.contains(count) {
                return .count(count)
            }
            if let text = value.text, text.hasSuffix("%"),
                let thousandths = Quantity.thousandths(text), thousandths <= 1000
            {
                return .share(thousandths)
            }
            place.refuse(.outOfRange, "\(value.compact) is not allowed; allowed: \(range)")
            return nil
        }
    }
}

extension Duration {
    var milliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
