// RFC 3339 in UTC with milliseconds, as every answer writes a moment: `2026-01-31T09:30:00.125Z`.
// Made by arithmetic, for a list of deployments has thousands of them and a formatter costs
// microseconds.

package enum Timestamp {
    /// - Parameter milliseconds: since 1970; what lies outside the years 0 to 9999 is moved inside.
    package static func text(milliseconds: Int64) -> String {
        let bounded = max(-62_167_219_200_000, min(253_402_300_799_999, milliseconds))
        let days = Int(bounded / 86_400_000) - (bounded % 86_400_000 < 0 ? 1 : 0)
        let rest = Int(bounded - Int64(days) * 86_400_000)
        let (year, month, day) = date(days: days)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(rest / 3_600_000, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(rest / 60_000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(rest / 1000 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        append(rest % 1000, digits: 3, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The Gregorian date of a day since 1970, counted in years that begin in March
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func append(_ value: Int, digits: Int, to bytes: inout [UInt8]) {
        var scale = digits == 4 ? 1000 : digits == 3 ? 100 : 10
        while scale > 0 {
            bytes.append(UInt8(48 + value / scale % 10))
            scale /= 10
        }
    }
}
