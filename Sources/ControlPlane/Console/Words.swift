// Numbers, sizes and moments as a person at a terminal wants them: short, in one unit, and the same
// everywhere.

package import Notation

package enum Words {
    /// `45s`, `3m`, `2h`, `5d`: one unit, as old things need no second one; below ten minutes
    /// `2m 5s`.
    package static func age(_ seconds: Double) -> String {
        let whole = Int(max(0, seconds.rounded(.down)))
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<600: return whole % 60 == 0 ? "\(whole / 60)m" : "\(whole / 60)m \(whole % 60)s"
        case ..<7200: return "\(whole / 60)m"
        case ..<172_800: return "\(whole / 3600)h"
        default: return "\(whole / 86_400)d"
        }
    }

    /// As `age`, with tenths below ten seconds: `0.4s`.
    package static func span(_ seconds: Double) -> String {
        seconds < 10 ? "\(number(seconds, 1))s" : age(seconds)
    }

    /// How long ago a moment of an answer was; nothing when there is none.
    package static func age(of time: JSONValue?, at now: Double) -> String {
        guard let then = time?.text.flatMap(seconds(of:)) else { return "" }
        return age(now - then)
    }

    /// `512 MiB`, `1.5 GiB`.
    package static func bytes(_ count: Double) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var (value, unit) = (count, 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(number(value, value < 10 && unit > 0 ? 1 : 0)) \(units[unit])"
    }

    /// With at most so many digits behind the point, and none that say nothing.
    package static func number(_ value: Double, _ digits: Int = 2) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }

    package static func number(_ value: JSONValue?) -> String {
        value?.number.map { number($0) } ?? ""
    }

    /// `1 replica`, `2 replicas`.
    package static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }

    /// Seconds since 1970 of an RFC 3339 moment in UTC, as answers write it.
    package static func seconds(of time: String) -> Double? {
        let parts = time.split { "-T:Z".contains($0) }
        guard parts.count == 6, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2]), let hour = Int(parts[3]), let minute = Int(parts[4]),
            let second = Double(parts[5]), (1...12).contains(month)
        else { return nil }
        // Years that begin in March (Howard Hinnant, "chrono-Compatible Low-Level Date
        // Algorithms").
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Double(days * 86_400 + hour * 3600 + minute * 60) + second
    }

    /// `2026-01-31T09:30:00.125Z` as `2026-01-31 09:30:00`.
    package static func moment(_ time: JSONValue?) -> String {
        guard let text = time?.text, text.count >= 19 else { return "" }
        return String(text.prefix(19).replacing("T", with: " "))
    }

    /// Only the time of the day, with milliseconds.
    package static func clock(_ time: JSONValue?) -> String {
        guard let text = time?.text, text.count >= 23 else { return "" }
        return String(text.dropFirst(11).prefix(12))
    }

    /// `token:01M7YTYCEP5JXR7XKCS52RRSFH` is more than anybody reads.
    package static func actor(_ value: JSONValue?) -> String { shortened(value?.text ?? "") }

    /// A sentence with the ids of tokens in it cut to their last letters.
    package static func shortened(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            guard word.hasPrefix("token:"), word.utf8.count > 20 else { return String(word) }
            // What stands behind it is the sentence's.
            let end = word.lastIndex { $0.isLetter || $0.isNumber } ?? word.startIndex
            return "token:…" + word[...end].suffix(6) + word[end...].dropFirst()
        }.joined(separator: " ")
    }
}
