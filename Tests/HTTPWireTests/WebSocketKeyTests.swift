// Keys and their answers, as RFC 6455 has them.

import HTTPWire
import Testing

@Suite struct WebSocketKeyTests {
    private func text(_ buffer: borrowing HeadBuffer) -> String {
        unsafe buffer.withBytes { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    @Test(arguments: [
        ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
    ])
    func `a key is answered as RFC 6455 1.3 shows`(key: String, accept: String) {
        let head = Array("GET / HTTP/1.1\r\nSec-WebSocket-Key:  \(key) \r\n\r\n".utf8)
        let span = unsafe head.span.bytes
        guard let found = WebSocketKey.find(in: span) else {
            Issue.record("the key is there")
            return
        }
        var answer = HeadBuffer(capacity: 64)
        let isKey = WebSocketKey.appendAccept(for: span, found, to: &answer)
        let written = text(answer)
        #expect(isKey && written == accept)
    }

    @Test func `a head without a key has none`() {
        let head = Array("GET / HTTP/1.1\r\nx-sec-websocket-key: a\r\nhost: b\r\n\r\n".utf8)
        let found = unsafe WebSocketKey.find(in: head.span.bytes)
        #expect(found == nil)
    }

    @Test func `what is no key has no answer`() {
        let head = Array("short".utf8)
        var answer = HeadBuffer(capacity: 64)
        let isKey = unsafe WebSocketKey.appendAccept(
            for: head.span.bytes, Slice(from: 0, to: 5), to: &answer)
        #expect(!isKey && answer.count == 0)
    }

    @Test func `a key made up is sixteen bytes in base 64`() {
        var head = HeadBuffer(capacity: 64)
        // 0, 1, ... 15 as two numbers, the lowest byte first.
        WebSocketKey.append(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908, to: &head)
        let written = text(head)
        #expect(written == "AAECAwQFBgcICQoLDA0ODw==")
    }
}
