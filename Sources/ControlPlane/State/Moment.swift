// Moments are stored as milliseconds since 1970 and written as RFC 3339 in UTC. They are rounded at
// the door, so that what is read back equals what was given. Fractions go through integers: a
// formatter that cuts off a binary fraction is a millisecond wrong half of the time.

package import Foundation

package enum Moment {
    package static func milliseconds(_ date: Date) -> Int64 {
        // Dates beyond what fits are somebody's "never"; they stay far away.
        let value = (date.timeIntervalSince1970 * 1000).rounded()
        return Int64(max(-farthest, min(farthest, value)))
    }

    package static func date(_ milliseconds: Int64) -> Date {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    package static func rounded(_ date: Date) -> Date { self.date(milliseconds(date)) }

    /// `2026-01-31T09:30:00.125Z`.
    package static func text(_ date: Date) -> String {
        let milliseconds = milliseconds(date)
        let fraction = (milliseconds % 1000 + 1000) % 1000
        let second = Date(timeIntervalSince1970: Double((milliseconds - fraction) / 1000))
        let digits = String(1000 + fraction).dropFirst()
        return "\(second.formatted(wholeSeconds).dropLast()).\(digits)Z"
    }

    /// Nil for what is no moment; fractions of a second are optional and cut to three digits.
    package static func date(_ text: String) -> Date? {
        var whole = text
        var fraction: Int64 = 0
        if let dot = text.firstIndex(of: ".") {
            let digits = text[text.index(after: dot)...].prefix { "0" <= $0 && $0 <= "9" }
            guard let value = Int64((digits + "00").prefix(3)), !digits.isEmpty else { return nil }
            fraction = value
            whole.removeSubrange(dot..<digits.endIndex)
        }
        // That it does not parse is the answer, not a fault.
        guard let second = try? wholeSeconds.parse(whole) else { return nil }
        return date(milliseconds(second) + fraction)
    }

    private static let wholeSeconds = Date.ISO8601FormatStyle()
    /// The end of the year 9999.
    private static let farthest = 253_402_300_799_999.0
}
