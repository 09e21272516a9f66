// What is hidden of a replica's output, and that nothing else changes.

import Foundation
import Replicas
import Testing

@Suite struct SecretMaskTests {
    @Test(arguments: [
        ("token hf_abcdefgh", "token ***"),
        ("hf_abcdefgh", "***"),
        ("hf_abcdefghhf_abcdefgh!", "******!"),
        ("hf_abcdefg", "hf_abcdefg"),
        ("HF_ABCDEFGH", "HF_ABCDEFGH"),
        ("", ""),
        ("ümlaut hf_abcdefgh ü", "ümlaut *** ü"),
    ])
    func `a value is hidden wherever it stands`(_ text: String, _ shown: String) {
        #expect(SecretMask(["hf_abcdefgh"]).masked(text) == shown)
    }

    @Test func `the longest of several that begin alike is hidden whole`() {
        let mask = SecretMask(["password", "password-of-the-database"])
        #expect(mask.masked("it is password-of-the-database, password") == "it is ***, ***")
    }

    @Test func `short values are words, and are left`() {
        #expect(SecretMask(["short", "1234567"]).isEmpty)
        #expect(SecretMask(["ünïcödë"]).isEmpty)
    }

    @Test func `each line of a value is hidden`() {
        let mask = SecretMask(["-----BEGIN KEY-----\r\nMIIEvQIBADAN\n-----END KEY-----\n"])
        #expect(mask.masked("key: MIIEvQIBADAN") == "key: ***")
    }

    @Test(arguments: 0...12)
    func `a value that was cut in two is hidden in both`(_ cut: Int) {
        let text = "a hf_abcdefgh b"
        let middle = text.index(text.startIndex, offsetBy: cut)
        let pieces = SecretMask(["hf_abcdefgh"]).masked(
            pieces: [String(text[..<middle]), String(text[middle...])])
        #expect(pieces.joined() == "a *** b")
        #expect(pieces.count == 2)
    }

    @Test func `a page hides it also in a long line with other lines in between`() {
        let lines = [
            LogLine(offset: 0, time: .distantPast, stream: .out, text: "x hf_ab", isPartial: true),
            LogLine(offset: 10, time: .distantPast, stream: .error, text: "other"),
            LogLine(offset: 20, time: .distantPast, stream: .out, text: "cdefgh y"),
        ]
        let page = LogPage(run: 1, lines: lines, next: 30, first: 0, end: 30)
        let shown = page.masked(by: SecretMask(["hf_abcdefgh"]))
        #expect(shown.lines.map(\.text) == ["x ***", "other", " y"])
        #expect(shown.next == 30)
    }
}
