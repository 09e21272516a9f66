// Messages as headers hold them: every byte there and back, and what is no escape left alone.

import HTTPWire
import Testing

@Suite struct GRPCMessageTests {
    private func encode(_ bytes: [UInt8]) -> [UInt8] {
        var head = HeadBuffer(capacity: 4_096)
        GRPCMessage.encode(unsafe bytes.span.bytes, into: &head)
        return unsafe head.withBytes { unsafe Array($0) }
    }

    private func decode(_ bytes: [UInt8]) -> [UInt8] {
        var text = HeadBuffer(capacity: 4_096)
        GRPCMessage.decode(
            unsafe bytes.span.bytes, Slice(from: 0, to: bytes.count), into: &text)
        return unsafe text.withBytes { unsafe Array($0) }
    }

    @Test func `plain text stays as it is`() {
        #expect(encode(Array("no replica is ready".utf8)) == Array("no replica is ready".utf8))
    }

    @Test func `percent, controls and what is beyond ASCII are escaped`() {
        #expect(encode(Array("100%\r\né".utf8)) == Array("100%25%0D%0A%C3%A9".utf8))
    }

    @Test func `every byte comes back`() {
        let all = (0...255).map { UInt8($0) }
        #expect(decode(encode(all)) == all)
    }

    @Test(arguments: ["%", "%2", "%G1", "100% sure", "%%41"])
    func `what is no escape stands for itself`(_ text: String) {
        let expected = text == "%%41" ? "%A" : text
        #expect(decode(Array(text.utf8)) == Array(expected.utf8))
    }
}
