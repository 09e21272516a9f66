// Moments as text and back, to the millisecond: signatures and hashes are made over them.

import Foundation
import State
import Testing

@Suite struct MomentTests {
    @Test(arguments: [0, 1_700_000_000, 1_795_252_285, 253_402_300_799, -62_135_596_800, -1])
    func `every millisecond comes back as it went`(second: Int64) {
        for fraction in 0..<Int64(1000) {
            let milliseconds = second * 1000 + fraction
            let date = Moment.date(milliseconds)
            let text = Moment.text(date)
            #expect(Moment.milliseconds(date) == milliseconds)
            #expect(Moment.date(text) == date, "\(text)")
            #expect(Moment.date(text).map(Moment.text) == text)
        }
    }

    @Test func `the text is RFC 3339 in UTC`() {
        #expect(Moment.text(Sample.moment) == "2023-11-14T22:13:20.125Z")
        #expect(Moment.text(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
        #expect(Moment.text(Date(timeIntervalSince1970: -0.5)) == "1969-12-31T23:59:59.500Z")
    }

    @Test(arguments: [
        ("2023-11-14T22:13:20Z", 0), ("2023-11-14T22:13:20.1Z", 100),
        ("2023-11-14T22:13:20.12Z", 120), ("2023-11-14T22:13:20.1259Z", 125),
        ("2023-11-14T23:13:20.125+01:00", 125),
    ])
    func `fractions and offsets are understood`(text: String, milliseconds: Int64) {
        let expected = Moment.date(1_700_000_000_000 + milliseconds)
        #expect(Moment.date(text) == expected)
    }

    @Test(arguments: ["", "yesterday", "2023-11-14", "2023-11-14T22:13:20.Z", "20.5"])
    func `what is no moment is none`(text: String) {
        #expect(Moment.date(text) == nil)
    }
}
