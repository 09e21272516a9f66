// The Date header of this second (RFC 9110 5.6.7), made once a second and not once a response.

import HTTPWire
import Reactor

struct DateText {
    private var second: Int64 = .min
    private var text = InlineArray<29, UInt8>(repeating: 0)

    /// Appends `date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
    mutating func append(to head: inout HeadBuffer) {
        let now = Clock.wallMilliseconds() / 1000
        if now != second {
            second = now
            render(now)
        }
        head.append("date: ")
        for index in 0..<29 { head.append(text[index]) }
        head.appendCRLF()
    }

    private mutating func render(_ now: Int64) {
        let days = now / 86_400
        let seconds = now % 86_400
        let (year, month, day) = DateText.civil(fromDays: days)
        let weekday = Int((days + 4) % 7)
        var position = 0
        put(name: weekday, of: "SunMonTueWedThuFriSat", at: &position)
        put(", ", at: &position)
        put(day, digits: 2, at: &position)
        put(" ", at: &position)
        put(name: month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec", at: &position)
        put(" ", at: &position)
        put(year, digits: 4, at: &position)
        put(" ", at: &position)
        put(Int(seconds / 3600), digits: 2, at: &position)
        put(":", at: &position)
        put(Int(seconds / 60 % 60), digits: 2, at: &position)
        put(":", at: &position)
        put(Int(seconds % 60), digits: 2, at: &position)
        put(" GMT", at: &position)
    }

    private mutating func put(name index: Int, of names: String, at position: inout Int) {
        let start = names.utf8.index(names.utf8.startIndex, offsetBy: index * 3)
        for byte in names.utf8[start...].prefix(3) {
            text[position] = byte
            position += 1
        }
    }

    private mutating func put(_ words: String, at position: inout Int) {
        for byte in words.utf8 {
            text[position] = byte
            position += 1
        }
    }

    private mutating func put(_ number: Int, digits: Int, at position: inout Int) {
        var rest = number
        for offset in (0..<digits).reversed() {
            text[position + offset] = UInt8(rest % 10) + 48
            rest /= 10
        }
        position += digits
    }

    /// Days since 1970-01-01 as a date of the proleptic Gregorian calendar: whole 400-year cycles,
    /// then years that begin in March, so that the leap day comes last.
    static func civil(fromDays days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        let month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        let year = Int(yearOfCycle + cycle * 400) + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }
}
