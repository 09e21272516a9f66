// RFC 9112 4: the first line of a response, byte for byte.

import HTTPWire
import Testing

@Suite struct StatusLineTests {
    static let refused: [(String, WireError)] = [
        ("HTTP/1.1 200\r\n\r\n", .badStatusLine),
        ("HTTP/1.1  200 OK\r\n\r\n", .badStatusLine),
        (" HTTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1\t200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 600 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 +20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2x0 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 O\u{0}K\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 O\u{7F}K\r\n\r\n", .badStatusLine),
        ("http/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/11 200 OK\r\n\r\n", .badStatusLine),
        ("ICY 200 OK\r\n\r\n", .badStatusLine),
        ("<html>", .badStatusLine),
        ("HTTP/1.1 200 OK\n\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\rX\r\n\r\n", .bareCarriageReturn),
        ("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
        ("HTTP/1.2 200 OK\r\n\r\n", .unsupportedVersion),
    ]

    @Test(arguments: refused)
    func `a malformed status line is refused`(text: String, expected: WireError) {
        #expect(Wire.response(text).error == expected, "\(text.debugDescription)")
    }

    static let understood: [(String, Int, String)] = [
        ("HTTP/1.1 200 OK", 200, "OK"), ("HTTP/1.1 599 ", 599, ""),
        ("HTTP/1.0 100 a b", 100, "a b"),
        ("HTTP/1.1 404 Not\tFound", 404, "Not\tFound"),
        ("HTTP/1.1 299 \u{E9}", 299, "\u{C3}\u{A9}"),
    ]

    @Test(arguments: understood)
    func `a code has three digits and a reason says anything`(
        line: String, status: Int, reason: String
    ) {
        let parsed = Wire.response(line + "\r\n\r\n").message
        #expect(parsed?.status == status)
        #expect(parsed?.reason == reason)
    }
}
