// The line that opens a chunk, against every byte at every place of it.

import HTTPWire
import Testing

@Suite struct ChunkHeaderTests {
    /// RFC 9112 7.1 and 7.1.1 as one regular expression.
    private let grammar: Regex<AnyRegexOutput>

    init() throws {
        let token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
        let quoted = "\"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*\""
        let space = "[ \\t]*"
        let value = "(?:\(token)|\(quoted))"
        let part = "\(space);\(space)\(token)(?:\(space)=\(space)\(value))?"
        grammar = try Regex("[0-9A-Fa-f]{1,16}(?:\(part))*")
    }

    private func isValid(_ line: String) throws -> Bool {
        try grammar.wholeMatch(in: line) != nil
    }

    private func isAccepted(_ line: String) -> Bool {
        let bytes = Array((line + "\r\n").utf8)
        let span = unsafe bytes.span.bytes
        var decoder = BodyDecoder(framing: .chunked, keepsFraming: false)
        var table = FieldTable(capacity: 4)
        var offset = 0
        do throws(WireError) {
            _ = try decoder.next(span, from: &offset, fields: &table)
            return offset == bytes.count
        } catch {
            return false
        }
    }

    @Test(arguments: ["1", "1a;b", "1;a=b", "1 ; a = \"b\\c\" ; d", "0;x=\"\"", "1;a;b=c"])
    func `a line is accepted exactly when the grammar has it`(line: String) throws {
        #expect(isAccepted(line))
        for index in line.indices {
            for byte in UInt8(0)..<128 where byte != 0x0A && byte != 0x0D {
                var changed = line
                changed.replaceSubrange(
                    index...index, with: String(UnicodeScalar(byte)))
                let isValid = try isValid(changed)
                #expect(isAccepted(changed) == isValid, "\(changed.debugDescription)")
            }
        }
    }
}
