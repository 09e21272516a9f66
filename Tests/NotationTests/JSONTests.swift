// The value, its text, its pointers and its patches. The patch examples are those of RFC 7396.

import Foundation
import Notation
import Testing

@Suite struct JSONTests {
    @Test func `what is written reads the same`() throws {
        let text = #"{"b":[1,2.5,-3],"a":{"x":null,"y":true},"t":"é\"\\\n\u0001"}"#
        let value = try JSONReader.read(Array(text.utf8))
        #expect(value.compact == text)
        #expect(try JSONReader.read(value.encoded) == value)
        #expect(try JSONReader.read(Array(value.pretty.utf8)) == value)
    }

    @Test(arguments: [
        (#"{"a":1,"a":2}"#, "'a' stands twice"), (#"{"a":01}"#, "does not begin with 0"),
        (#"[1,]"#, "a value should be here"), (#"{"a":1} x"#, "nothing may follow"),
        (#""\ud800""#, "half a surrogate pair"), (#"1e999"#, "out of range"), ("", "ends where"),
        (String(repeating: "[", count: 40), "nested too deeply"),
    ])
    func `what is not JSON is refused`(text: String, reason: String) throws {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONReader.read(Array(text.utf8))
        }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }

    @Test func `canonical bytes do not depend on the order of members`() throws {
        let left = try JSONReader.read(Array(#"{"b":{"d":1.0,"c":[2,1]},"a":0.5}"#.utf8))
        let right = try JSONReader.read(Array(#"{"a":0.5,"b":{"c":[2,1],"d":1}}"#.utf8))
        #expect(left.canonical == right.canonical)
        #expect(
            String(decoding: left.canonical, as: UTF8.self) == #"{"a":0.5,"b":{"c":[2,1],"d":1}}"#)
    }

    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, "{}"),
        (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
        (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
        (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#), (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#),
        (#"{"a":"foo"}"#, "null", "null"), (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
        ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
        ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
    ])
    func `a merge patch does what its standard says`(
        document: String, patch: String, result: String
    ) throws {
        let patched = try JSONReader.read(Array(document.utf8)).patched(
            with: JSONReader.read(Array(patch.utf8)))
        #expect(patched.compact == result)
    }

    @Test func `the smallest patch leads from one document to another`() throws {
        let before = try JSONReader.read(Array(#"{"a":1,"b":{"c":2,"d":3},"e":[1]}"#.utf8))
        let after = try JSONReader.read(Array(#"{"a":1,"b":{"c":4},"e":[2],"f":5}"#.utf8))
        let patch = before.patch(to: after)
        #expect(patch.compact == #"{"b":{"c":4,"d":null},"e":[2],"f":5}"#)
        #expect(before.patched(with: patch).sorted == after.sorted)
    }

    @Test func `a pointer escapes its parts and reads itself`() {
        let pointer = JSONPointer(["a/b", "c~d", "0"])
        #expect(pointer.description == "/a~1b/c~0d/0")
        #expect(JSONPointer(pointer.description) == pointer)
        #expect(JSONPointer("") == JSONPointer())
        #expect(JSONPointer("a") == nil)
    }

    @Test func `coders read and write it`() throws {
        let text = #"{"a":[1,2.5,"x",true,null],"b":{}}"#
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(value.compact == text)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == text)
    }

    @Test func `members are read and set by name and path`() {
        let value = JSONValue.object(["a": .object(["b": 1]), "c": .texts(["x"])])
        #expect(value[path: ["a", "b"]]?.whole == 1)
        #expect(value.setting(path: ["a", "d"], to: true)[path: ["a", "d"]]?.boolean == true)
        #expect(value.setting("c", to: nil)["c"] == nil)
        #expect(JSONValue.number(2).whole == 2)
        #expect(JSONValue.number(2.5).whole == nil)
    }
}
