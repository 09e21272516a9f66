// RFC 9112 6: how long a body is, and everything that would let two readers disagree about it.
// Each refused row is tried in a request and in a response.

import HTTPWire
import Testing

@Suite struct BodyFramingTests {
    static let refused: [([String], WireError)] = [
        (["Content-Length: "], .badContentLength),
        (["Content-Length: -1"], .badContentLength),
        (["Content-Length: +1"], .badContentLength),
        (["Content-Length: 1 " + "1"], .badContentLength),
        (["Content-Length: 1,1"], .badContentLength),
        (["Content-Length: 1, 1"], .badContentLength),
        (["Content-Length: 0x1"], .badContentLength),
        (["Content-Length: 1a"], .badContentLength),
        (["Content-Length: 1.0"], .badContentLength),
        (["Content-Length: \"1\""], .badContentLength),
        (["Content-Length: 1_000"], .badContentLength),
        (["Content-Length: 9223372036854775808"], .badContentLength),
        (["Content-Length: 18446744073709551617"], .badContentLength),
        (["Content-Length: 00000000000000000001"], .badContentLength),
        (["Content-Length: 1", "Content-Length: 1"], .repeatedContentLength),
        (["Content-Length: 1", "content-length: 2"], .repeatedContentLength),
        (
            ["Content-Length: 1", "Transfer-Encoding: chunked"],
            .contentLengthWithTransferEncoding
        ),
        (
            ["Transfer-Encoding: chunked", "Content-Length: 0"],
            .contentLengthWithTransferEncoding
        ),
        (
            ["Transfer-Encoding: x", "Content-Length: 0"], .contentLengthWithTransferEncoding
        ),
        (["Transfer-Encoding: "], .badTransferEncoding),
        (["Transfer-Encoding: chunked, chunked"], .badTransferEncoding),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], .badTransferEncoding),
        (["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], .badTransferEncoding),
        (["Transfer-Encoding: chunked, gzip"], .badTransferEncoding),
        (["Transfer-Encoding: chunked, identity"], .badTransferEncoding),
        (["Transfer-Encoding: ,chunked"], .badTransferEncoding),
        (["Transfer-Encoding: chunked,"], .badTransferEncoding),
        (["Transfer-Encoding: chunked;a=b"], .badTransferEncoding),
        (["Transfer-Encoding: \"chunked\""], .badTransferEncoding),
        (["Transfer-Encoding: chunked x"], .badTransferEncoding),
        (["Transfer-Encoding: gzip"], .unknownTransferCoding),
        (["Transfer-Encoding: identity"], .unknownTransferCoding),
        (["Transfer-Encoding: xchunked"], .unknownTransferCoding),
        (["Transfer-Encoding: gzip, chunked"], .unknownTransferCoding),
        (["Transfer-Encoding: gzip , chunked"], .unknownTransferCoding),
    ]

    @Test(arguments: refused)
    func `ambiguous or malformed framing is refused both ways`(
        lines: [String], expected: WireError
    ) {
        let fields = lines.map { $0 + "\r\n" }.joined()
        #expect(Wire.request("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n").error == expected)
        #expect(Wire.response("HTTP/1.1 200 OK\r\n\(fields)\r\n").error == expected)
    }

    static let understood: [(String, BodyFraming)] = [
        ("X: y", .none), ("Content-Length: 0", .length(0)), ("Content-Length:  12\t", .length(12)),
        ("Content-Length: 007", .length(7)),
        ("Content-Length: 9223372036854775807", .length(9_223_372_036_854_775_807)),
        ("Transfer-Encoding: chunked", .chunked), ("tRANSFER-eNCODING:\tCHUNKED ", .chunked),
    ]

    @Test(arguments: understood)
    func `a request body is as long as it says`(line: String, expected: BodyFraming) {
        let parsed = Wire.request(lines: "POST / HTTP/1.1", "Host: a", line).message
        #expect(parsed?.framing == expected)
    }

    @Test func `HTTP/1.0 has no transfer codings`() {
        let request = Wire.request(lines: "POST / HTTP/1.0", "Transfer-Encoding: chunked")
        let response = Wire.response("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(request.error == .transferEncodingInHTTP10)
        #expect(response.error == .transferEncodingInHTTP10)
    }

    @Test(arguments: [100, 103, 101, 204])
    func `a status without a body may announce none`(status: Int) {
        let line = "HTTP/1.1 \(status) \r\n"
        let empty = Wire.response(line + "Content-Length: 0\r\n\r\n").message
        #expect(empty?.framing == BodyFraming.none)
        #expect(empty?.fields.first?.isHopByHop == true)
        #expect(Wire.response(line + "Content-Length: 5\r\n\r\n").error == .unexpectedFraming)
        let chunked = Wire.response(line + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(chunked.error == .unexpectedFraming)
    }

    @Test func `HEAD and 304 describe a body that does not come`() {
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        let notModified = "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n"
        #expect(Wire.response(length, to: .head).message?.framing == BodyFraming.none)
        #expect(Wire.response(notModified).message?.framing == BodyFraming.none)
        #expect(Wire.response(length).message?.framing == .length(5))
    }

    @Test func `an answer that announces nothing ends with its connection`() {
        let parsed = Wire.response("HTTP/1.1 200 OK\r\n\r\n").message
        #expect(parsed?.framing == .untilClose)
        #expect(parsed?.keepsAlive == false)
    }
}
