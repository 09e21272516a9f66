// The scanner of event streams: what counts as an event, where usage stands, and that it does not
// matter how the bytes are cut.

import Testing

@testable import HTTPWire

struct EventStreamScannerTests {
    private func scan(_ text: String, inPiecesOf size: Int = 1_000_000) -> EventStreamScanner {
        var scanner = EventStreamScanner()
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            _ = unsafe scanner.feed(piece.span.bytes)
            start += size
        }
        return scanner
    }

    static let openAI = """
        data: {"choices":[{"delta":{"content":"He said \\"completion_tokens\\": 9"}}]}

        data: {"choices":[{"delta":{"content":"lo"}}]}

        : a comment

        event: usage
        data: {"usage":{"prompt_tokens": 12 ,"prompt_tokens_details":{"cached_tokens":3},\
        "completion_tokens":34}}

        data: [DONE]


        """

    @Test(arguments: [1, 2, 3, 7, 64, 100_000])
    func `events and usage are the same however the bytes are cut`(size: Int) {
        let found = scan(Self.openAI, inPiecesOf: size)
        #expect(found.events == 3)
        #expect(found.promptTokens == 12)
        #expect(found.completionTokens == 34)
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `each of the three line ends is one`(end: String) {
        let text = "data: a\(end)\(end)data:b\(end)data: c\(end)\(end)"
        #expect(scan(text).events == 2)
    }

    @Test(arguments: [
        "data: \n\n", "dat\n\n", "\n\n\n",
        ": data: a\n\n", "datum: a\n\n", "event: x\n\n", "data: [DONE]\n\n",
        "data:[DONE]\n\n", "data: a\n",
    ])
    func `what has no data, or no end, is no event`(text: String) {
        #expect(scan(text).events == (text == "data: \n\n" ? 1 : 0))
    }

    @Test(arguments: ["data:\n\n", "data\n\n", "data:\r\r", "event: x\ndata\r\n\r\n"])
    func `an empty line of data is data`(text: String) {
        #expect(scan(text).events == 1)
    }

    @Test(arguments: [1, 2, 3, 5, 100])
    func `a byte order mark before the stream is none of it`(size: Int) {
        #expect(scan("\u{FEFF}data: a\n\ndata: b\n\n", inPiecesOf: size).events == 2)
        #expect(scan("\u{FEFF}\u{FEFF}data: a\n\n", inPiecesOf: size).events == 0)
        #expect(scan("data: a\n\n\u{FEFF}data: b\n\n", inPiecesOf: size).events == 1)
    }

    @Test func `data that only begins like the closing mark is an event`() {
        #expect(scan("data: [DONE] \n\ndata: [DONE\n\n").events == 2)
    }

    @Test func `the other spelling of usage is read, too`() {
        let found = scan("data: {\"input_tokens\":5,\"output_tokens\":7}\n\n")
        #expect(found.promptTokens == 5)
        #expect(found.completionTokens == 7)
    }

    @Test(arguments: [
        "data: {\"completion_tokens\":null}\n\n", "data: {\"completion_tokens\" 5}\n\n",
        "data: {\"completion_tokens\":\"5\"}\n\n", "data: \"completion_tokens\"\n\n5\n",
        "data: {\"completion_tokens\":99999999999999999999}\n\n", "completion_tokens: 5\n\n",
    ])
    func `what is not a count is none`(text: String) {
        #expect(scan(text).completionTokens == 0)
    }

    @Test func `the last of several counts stands`() {
        let text = (1...3).map { "data: {\"completion_tokens\":\($0)}\n\n" }.joined()
        #expect(scan(text).completionTokens == 3)
    }

    @Test func `random events are the same however the bytes are cut`() {
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let parts = [
            "data:", "data: ", "dat", ":", "event: x", "[DONE]", "{", "\"prompt_tokens\":", "12",
            "\"completion_tokens\" : ", "\"input_tokens\":", "\"output_token", "s\":", "\"", "\\",
            "\\\"", "\t", "é, a text as long as no name of a count", "\n", "\n\n", "\r", "\r\n",
            "\n\ndata: {",
        ]
        for _ in 0..<3000 {
            let text = (0..<random(60)).map { _ in parts[random(parts.count)] }.joined()
            let byByte = scan(text, inPiecesOf: 1)
            for size in [1 + random(20), 1_000_000] {
                let found = scan(text, inPiecesOf: size)
                #expect(
                    found.events == byByte.events && found.promptTokens == byByte.promptTokens
                        && found.completionTokens == byByte.completionTokens,
                    "seed \(seed), \(text)")
            }
        }
    }

    @Test func `random bytes neither trap nor count wildly`() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &generator)
        var state = seed
        let letters = Array("data: [DONE]\"completion_tokens\":5\\{}\n\r".utf8)
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<300 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(letters[Int(state >> 33) % letters.count])
            }
            var scanner = EventStreamScanner()
            let count = unsafe scanner.feed(bytes.span.bytes)
            #expect(count >= 0 && count <= 150, "seed \(seed)")
        }
    }
}
