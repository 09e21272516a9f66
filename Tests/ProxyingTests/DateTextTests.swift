// The Date header, against dates that others have written.

import HTTPWire
import Proxying
import Reactor
import Testing

@Suite struct DateTextTests {
    private func text(_ wallMilliseconds: Int64, _ dates: inout DateText) -> String {
        var head = HeadBuffer(capacity: 64)
        dates.append(wallMilliseconds, to: &head)
        return unsafe head.withBytes { unsafe Bytes($0).text }
    }

    @Test(
        arguments: [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399_999, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399_000, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400_000, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] as [(Int64, String)])
    func `a date is written as RFC 9110 has it`(milliseconds: Int64, expected: String) {
        var dates = DateText()
        #expect(text(milliseconds, &dates) == "date: \(expected)\r\n")
    }

    @Test func `a new second is a new text, also when the clock goes back`() {
        var dates = DateText()
        let seconds: [Int64] = [10_000, 10_999, 11_000, 9_000]
        let ends = seconds.map { String(text($0, &dates).dropLast(5).suffix(2)) }
        #expect(ends == ["10", "10", "11", "09"])
    }
}
