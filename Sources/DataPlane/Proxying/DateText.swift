// The Date header of this second (RFC 9110 5.6.7), made once a second and not once a response.

package import HTTPWire

package struct DateText {
    private var second = Int64.min
    private var text = InlineArray<29, UInt8>(repeating: 0)

    package init() {}

    /// Appends `date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF.
    package mutating func append(_ wallMilliseconds: Int64, to head: inout HeadBuffer) {
        let now = wallMilliseconds / 1000
        if now != second {
            second = now
            render(now)
        }
        head.append("date: ")
        unsafe head.append(text.span.bytes)
        head.appendCRLF()
    }

    private mutating func render(_ now: Int64) {
        let days = now / 86_400
        let seconds = now % 86_400
        let date = CivilDate(daysSince1970: days)
        var position = 0
        put(name: Int((days + 4) % 7), of: "SunMonTueWedThuFriSat", at: &position)
        put(", ", at: &position)
        put(date.day, digits: 2, at: &position)
        put(" ", at: &position)
        put(name: date.month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec", at: &position)
        put(" ", at: &position)
        put(date.year, digits: 4, at: &position)
        put(" ", at: &position)
        put(Int(seconds / 3600), digits: 2, at: &position)
        put(":", at: &position)
        put(Int(seconds / 60 % 60), digits: 2, at: &position)
        put(":", at: &position)
        put(Int(seconds % 60), digits: 2, at: &position)
        put(" GMT", at: &position)
    }

    private mutating func put(name index: Int, of names: String, at position: inout Int) {
        for byte in names.utf8.dropFirst(index * 3).prefix(3) {
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
}
