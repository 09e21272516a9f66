// The preface is told from HTTP/1.1 with the first byte that differs, and not before.

import HTTPWire
import Testing

@Suite struct HTTP2PrefaceTests {
    private func verdict(_ text: String) -> HTTP2Preface.Verdict {
        let bytes = Array(text.utf8)
        return HTTP2Preface.match(unsafe bytes.span.bytes)
    }

    @Test func `3_4 the preface matches when it is whole, whatever follows`() {
        #expect(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == .match)
        #expect(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0") == .match)
    }

    @Test func `every part of the preface needs more`() {
        let text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for count in 0..<text.utf8.count {
            #expect(verdict(String(decoding: text.utf8.prefix(count), as: UTF8.self)) == .needMore)
        }
    }

    @Test(arguments: ["G", "PU", "PRI ", "PRI * HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSX", "pri"])
    func `anything else is another protocol`(_ text: String) {
        let isPart = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".hasPrefix(text)
        #expect(verdict(text) == (isPart ? .needMore : .noMatch))
    }
}
