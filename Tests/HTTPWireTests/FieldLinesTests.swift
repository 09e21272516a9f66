// RFC 9112 2.2 and 5, RFC 9110 5.5 and 5.6: field lines, the same in requests and responses.
// A refused row is tried behind a good field and before it.

import HTTPWire
import Testing

@Suite struct FieldLinesTests {
    static let refused: [(String, WireError)] = [
        (" X: folded first\r\n", .obsoleteFold),
        ("X: a\r\n b\r\n", .obsoleteFold),
        ("X: a\r\n\tb\r\n", .obsoleteFold),
        ("X : a\r\n", .spaceBeforeColon),
        ("X\t: a\r\n", .spaceBeforeColon),
        ("X y: a\r\n", .spaceBeforeColon),
        (": a\r\n", .emptyFieldName),
        ("X\r\n", .badFieldName),
        ("X@: a\r\n", .badFieldName),
        ("X\u{0}: a\r\n", .badFieldName),
        ("X\u{7F}: a\r\n", .badFieldName),
        ("(X): a\r\n", .badFieldName),
        ("X\u{E9}: a\r\n", .badFieldName),
        ("X[0]: a\r\n", .badFieldName),
        ("X\n: a\r\n", .bareLineFeed),
        ("X: a\n", .bareLineFeed),
        ("X: a\nY: b\r\n", .bareLineFeed),
        ("X: a\r", .bareCarriageReturn),
        ("X: a\rb\r\n", .bareCarriageReturn),
        ("X: a\r\r\n", .bareCarriageReturn),
        ("\rX: a\r\n", .bareCarriageReturn),
        ("X: a\u{0}b\r\n", .badFieldValue),
        ("X: \u{1}\r\n", .badFieldValue),
        ("X: a\u{B}\r\n", .badFieldValue),
        ("X: a\u{C}\r\n", .badFieldValue),
        ("X: abcdefgh\u{7F}\r\n", .badFieldValue),
        ("X: \u{1B}[2J\r\n", .badFieldValue),
    ]

    @Test(arguments: refused)
    func `a malformed field is refused in requests and responses`(
        field: String, expected: WireError
    ) {
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n"
        let first = "GET / HTTP/1.1\r\n\(field)Host: a\r\n\r\n"
        #expect(Wire.request(request).error == expected)
        #expect(Wire.request(first).error == expected)
        #expect(Wire.response("HTTP/1.1 200 OK\r\n\(field)\r\n").error == expected)
    }

    static let kept: [(String, String, String)] = [
        ("X:a", "X", "a"), ("X: a", "X", "a"), ("X:\t a b \t", "X", "a b"), ("X:", "X", ""),
        ("X: \t ", "X", ""), ("X: a\tb", "X", "a\tb"), ("X: :", "X", ":"),
        ("!#$%&'*+-.^_`|~09azAZ: v", "!#$%&'*+-.^_`|~09azAZ", "v"),
        (
            "a-long-name-of-letters: a long value with \"quotes\"", "a-long-name-of-letters",
            "a long value with \"quotes\""
        ),
    ]

    @Test(arguments: kept)
    func `a value loses the whitespace around it and nothing else`(
        line: String, name: String, value: String
    ) {
        let fields = Wire.request(lines: "GET / HTTP/1.1", "Host: a", line).message?.fields
        #expect(fields?.last?.name == name)
        #expect(fields?.last?.value == value)
    }

    @Test func `bytes beyond ASCII pass in values`() {
        var bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8)
        bytes += [0xE9, 0x80, 0xFF] + Array("\r\n\r\n".utf8)
        #expect(Wire.request(bytes).message?.fields.last?.value == "\u{E9}\u{80}\u{FF}")
    }

    @Test func `every byte is judged alike wherever it stands in a word`() {
        for byte in UInt8.min...UInt8.max where byte != 0x0D && byte != 0x0A {
            for padding in 0..<17 {
                let value = [UInt8](repeating: 0x61, count: padding) + [byte, 0x62]
                let head = "GET / HTTP/1.0\r\nX: a"
                let bytes = Array(head.utf8) + value + Array("\r\n\r\n".utf8)
                let isText = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
                #expect((Wire.request(bytes).message != nil) == isText, "\(byte) at \(padding)")
            }
        }
    }

    @Test func `a head above its limits is refused with 431`() {
        let limits = WireLimits(headBytes: 64, headers: 2)
        let three = "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n\r\n"
        #expect(Wire.request(Array(three.utf8), limits: limits) == .refused(.tooManyFields))
        let long = "GET / HTTP/1.1\r\nHost: a\r\nB: " + String(repeating: "c", count: 64)
        #expect(Wire.request(Array(long.utf8), limits: limits) == .refused(.headTooLarge))
        #expect(Wire.request(Array(long.utf8.prefix(63)), limits: limits) == .incomplete)
    }

    @Test func `a head of exactly the limit passes`() {
        let text = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let limits = WireLimits(headBytes: text.count, headers: 1)
        #expect(Wire.request(text + Array("body".utf8), limits: limits).message != nil)
        let tight = WireLimits(headBytes: text.count - 1, headers: 1)
        #expect(Wire.request(text, limits: tight).error == .headTooLarge)
    }
}
