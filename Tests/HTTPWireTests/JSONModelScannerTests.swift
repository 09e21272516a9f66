// The scanner's answers do not depend on how a body is cut; malformed JSON is malformed. Rows are
// bodies; what the fuzzer found is among them.

import HTTPWire
import Testing

@Suite struct JSONModelScannerTests {
    enum Found: Equatable {
        case model(String)
        case absent, malformed
    }

    private func scan(_ body: [UInt8], cuts: [Int] = [], bytesMax: Int = 65_536) -> Found {
        var scanner = JSONModelScanner(bytesMax: bytesMax)
        var start = 0
        for end in cuts + [body.count] {
            let bytes = unsafe body.span.bytes
            _ = scanner.feed(bytes.extracting(start..<end))
            start = end
        }
        switch scanner.finish() {
        case .found:
            return .model(
                scanner.withModel { name in
                    String(decoding: (0..<name.byteCount).map { name.byte($0) }, as: UTF8.self)
                })
        case .absent: return .absent
        default: return .malformed
        }
    }

    private func scan(_ text: String) -> Found { scan(Array(text.utf8)) }

    static let named: [(String, String)] = [
        (#"{"model":"gpt"}"#, "gpt"),
        (" \r\n\t{ \"model\" : \"gpt\" }", "gpt"),
        (#"{"messages":[{"role":"user","content":"hi"}],"model":"a"}"#, "a"),
        (#"{"x":{"model":"inner"},"model":"outer"}"#, "outer"),
        (#"{"x":["model",{"model":1}],"model":"outer"}"#, "outer"),
        (#"{"a":-1.5e+3,"b":[0,1e9,2E-7,[],{}],"c":true,"d":false,"e":null,"model":"m"}"#, "m"),
        (#"{"model":"first","model":"second"}"#, "first"),
        (#"{"mod\u0065l":"escaped key"}"#, "escaped key"),
        (#"{"\u006d\u006F\u0064el":"m"}"#, "m"),
        (#"{"model":"a\/b\\c\"d\b\f\n\r\t"}"#, "a/b\\c\"d\u{8}\u{c}\n\r\t"),
        (#"{"model":"\u00e9\u20AC\ud83d\ude00"}"#, "é€😀"),
        (#"{"model":"é€😀"}"#, "é€😀"),
        (#"{"Model":"A","models":"B","mode":"C","":"D","model":"m"}"#, "m"),
        (#"{"prompt":"long, with \"quotes\", {braces} and é, over words","model":"m"}"#, "m"),
        (#"{"model":"m"} and whatever follows, }{ is not ours to judge"#, "m"),
    ]

    @Test(arguments: named)
    func `a top-level model is found and decoded`(body: String, model: String) {
        #expect(scan(body) == .model(model))
    }

    static let absent: [String] = [
        "{}", " {} ", #"{"a":1}"#, #"{"x":{"model":"inner"}}"#, #"[{"model":"m"}]"#, "[", "1 ",
        "17", #""model""#, "true", "null", #"{"model":""}"#, #"{"model":5}"#, #"{"model":null}"#,
        #"{"model":["m"]}"#, #"{"model":{"model":"m"}}"#, #"{"model":7,"model":"m"}"#,
    ]

    @Test(arguments: absent)
    func `a body that names no model says so`(body: String) {
        #expect(scan(body) == .absent)
    }

    static let malformed: [String] = [
        "", " ", "{", #"{"model"#, #"{"model":"#, #"{"model":"m"#, "}", "{,}", #"{"a"}"#,
        #"{"a":}"#, #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{a:1}"#, "{'a':1}", #"{"a":01}"#,
        #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":-}"#, #"{"a":1e}"#, #"{"a":1e+}"#,
        #"{"a":tru}"#, #"{"a":True}"#, #"{"a":nul"#, #"{"a":[1,]}"#, #"{"a":[1}"#, #"{"a":{]}"#,
        #"{"a":"\x"}"#, #"{"a":"\u12"}"#, #"{"a":"\u12g4"}"#, #"{"a":"\ud800"}"#,
        #"{"a":"\ud800x"}"#, #"{"a":"\ud800\n"}"#, #"{"a":"\ud800\ud800"}"#, #"{"a":"\udc00"}"#,
        #"{"a":"\ud800 with eight bytes behind it","model":"m"}"#,
        #"{"a":"\ud800 text between the two \udc00","model":"m"}"#,
        "{\"a\":\"line\nbreak\"}", "{\"a\":\"tab\there, past eight bytes of text\"}", "-", "1.",
        "\u{feff}{}", "nope", #"{"model":x}"#,
    ]

    @Test(arguments: malformed)
    func `what is no JSON is malformed`(body: String) {
        #expect(scan(body) == .malformed)
    }

    @Test(
        arguments: [
            [0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
            [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff],
            [0xc3], [0xe2, 0x82], [0xc3, 0x28],
        ] as [[UInt8]])
    func `text that is no UTF-8 is malformed`(text: [UInt8]) {
        #expect(scan(Array(#"{"a":""#.utf8) + text + Array(#"","model":"m"}"#.utf8)) == .malformed)
    }

    @Test(arguments: [#"{"a":"\\\\\\\\\\\"","model":"m"}"#, #"{"a":"12345678\"","model":"m"}"#])
    func `an escape at any place of a word is seen`(body: String) {
        #expect(scan(body) == .model("m"))
    }

    @Test func `every cut in two gives the same answer`() {
        for body in Self.named.map(\.0) + Self.absent + Self.malformed {
            let bytes = Array(body.utf8)
            let whole = scan(bytes)
            for cut in 0...bytes.count {
                #expect(scan(bytes, cuts: [cut]) == whole, "\(body) cut at \(cut)")
            }
            #expect(scan(bytes, cuts: Array(0..<bytes.count)) == whole, "\(body) by bytes")
        }
    }

    @Test func `nesting is followed to its bound and not beyond`() {
        let deepest = JSONModelScanner.depthMax - 1
        func nested(_ depth: Int) -> String {
            #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                + #","model":"m"}"#
        }
        #expect(scan(nested(deepest)) == .model("m"))
        #expect(scan(nested(deepest + 1)) == .malformed)
    }

    @Test func `names are kept to their bound and not beyond`() {
        let name = String(repeating: "n", count: JSONModelScanner.modelBytesMax)
        #expect(scan(#"{"model":"\#(name)"}"#) == .model(name))
        #expect(scan(#"{"model":"\#(name)n"}"#) == .malformed)
        #expect(scan(#"{"\#(name)n":1,"model":"m"}"#) == .model("m"))
    }

    @Test func `a body is read to its bound and not beyond`() {
        let body = Array(#"{"prompt":"\#(String(repeating: "x", count: 100))","model":"m"}"#.utf8)
        let enough = body.count - 1
        for cuts in [[], [50], Array(0..<body.count)] {
            #expect(scan(body, cuts: cuts, bytesMax: enough) == .model("m"))
            #expect(scan(body, cuts: cuts, bytesMax: enough - 1) == .malformed)
            #expect(scan(body, cuts: cuts, bytesMax: 0) == .malformed)
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `damaged bodies give one answer however they are cut`(seed: UInt64) {
        var state = seed
        func draw(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let texts = Self.named.map(\.0) + Self.malformed
        var bytes = Array(texts[draw(texts.count)].utf8)
        guard !bytes.isEmpty else { return }
        for _ in 0..<draw(4) { bytes[draw(bytes.count)] = UInt8(draw(256)) }
        let whole = scan(bytes)
        let cuts = (0..<3).map { _ in draw(bytes.count + 1) }.sorted()
        #expect(scan(bytes, cuts: cuts) == whole, "seed \(seed)")
    }
}
