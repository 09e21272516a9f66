// Moments are stored as milliseconds since 1970 and written as RFC 3339 in UTC. They are rounded at
// the door, so that what is read back equals what was given.

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
    package static func text(_ date: Date) -> String { rounded(date).formatted(style) }

    /// Nil for what is no moment; fractions of a second are optional.
    package static func date(_ text: String) -> Date? {
        // Two spellings are tried; that neither fits is the answer, not a fault.
        let parsed = (try? style.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text))
        return parsed.map(rounded)
    }

    private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    /// The year 9999.
    private static let farthest = 253_402_300_799_000.0
}
