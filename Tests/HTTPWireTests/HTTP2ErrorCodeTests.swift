// Codes have words, and one of them says that a request may be sent again.

import HTTPWire
import Testing

@Suite struct HTTP2ErrorCodeTests {
    @Test func `7 every code of the registry has a word of its own`() {
        let names = Set((UInt32(0)...13).map { "\(HTTP2ErrorCode(rawValue: $0).name)" })
        #expect(names.count == 14)
        #expect("\(HTTP2ErrorCode(rawValue: 14).name)" == "unknown")
    }

    @Test func `8_7 only a refused stream is known to be unprocessed`() {
        for code in UInt32(0)...13 {
            #expect(HTTP2ErrorCode(rawValue: code).isUnprocessed == (code == 7))
        }
    }
}
