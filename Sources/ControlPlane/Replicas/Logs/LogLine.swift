// One line of a replica's output as its shim wrote it: `2026-01-31T12:00:00.000000000Z stdout F
// text`. Pure.

package import Foundation

package struct LogLine: Sendable, Equatable {
    package enum Stream: String, Sendable, Codable {
        case out = "stdout"
        case error = "stderr"
        /// The shim itself, about output that was lost.
        case penstock
    }

    /// Bytes from the beginning of the run.
    package var offset: UInt64
    package var time: Date
    package var stream: Stream
    package var text: String
    /// Goes on in the next line of its stream: it was too long for one.
    package var isPartial: Bool

    package init(
        offset: UInt64, time: Date, stream: Stream, text: String, isPartial: Bool = false
    ) {
        self.offset = offset
        self.time = time
        self.stream = stream
        self.text = text
        self.isPartial = isPartial
    }

    /// A line without its newline; nil when it is none of a shim's.
    package init?(_ line: ArraySlice<UInt8>, offset: UInt64) {
        let parts = line.split(
            separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let time = Self.time(parts[0]),
            let stream = Stream(rawValue: String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        self.offset = offset
        self.time = time
        self.stream = stream
        isPartial = parts[2].first == UInt8(ascii: "P")
        var text = parts[3]
        // Some programs end their lines as Windows does.
        if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
        self.text = String(decoding: text, as: UTF8.self)
    }

    /// Always UTC, with nine digits of a second: 30 bytes.
    private static func time(_ text: ArraySlice<UInt8>) -> Date? {
        let bytes = Array(text)
        guard bytes.count == 30, bytes[10] == UInt8(ascii: "T"), bytes[29] == UInt8(ascii: "Z")
        else { return nil }
        func number(_ range: Range<Int>) -> Int {
            bytes[range].reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        let days = daysFromEpoch(year: number(0..<4), month: number(5..<7), day: number(8..<10))
        let seconds = number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        return Date(
            timeIntervalSince1970: Double(days * 86400 + seconds) + Double(number(20..<29)) / 1e9)
    }

    /// Days of the Gregorian calendar, counted in years that begin in March.
    private static func daysFromEpoch(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
