// The scanner never holds back a head that the parser could judge, and looks at no byte twice.

import HTTPWire
import Testing

@Suite struct HeadScannerTests {
    private func verdicts(_ text: String, limit: Int = 1_024) -> [Bool] {
        let bytes = Array(text.utf8)
        var scanner = HeadScanner(headBytes: limit)
        return (0..<bytes.count).map { index in
            let part = Array(bytes[...index])
            let span = unsafe part.span.bytes
            return scanner.scan(span, from: index) == .parseNow
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 \r\n\r\n",
        "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nA: b\n", "\n", "\r\n\r\n", "A\r\n\n",
    ])
    func `only the byte that decides asks for the parser`(text: String) {
        let verdicts = verdicts(text)
        #expect(verdicts.last == true)
        #expect(!verdicts.dropLast().contains(true))
    }

    @Test func `a head at its limit is for the parser to refuse`() {
        #expect(
            verdicts("GET /aaaaa", limit: 8) == [
                false, false, false, false, false, false, false, true, true, true,
            ])
    }

    @Test func `after a reset it begins anew`() {
        let head = Array("A: b\r\n\r\n".utf8)
        var scanner = HeadScanner()
        let span = unsafe head.span.bytes
        #expect(scanner.scan(span, from: 0) == .parseNow)
        scanner.reset()
        let part = span.extracting(first: 7)
        #expect(scanner.scan(part, from: 0) == .incomplete)
    }
}
