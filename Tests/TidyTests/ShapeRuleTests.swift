// The rules of size and form, each with a sample that breaks it and one that does not.

import Testing

@Suite struct ShapeRuleTests {
    private func lines(_ count: Int) -> String {
        String(repeating: "// line\n", count: count)
    }

    private func function(lines: Int) -> String {
        "func long(a: () -> Int = { 1 }) {\n" + String(repeating: "    work()\n", count: lines - 2)
            + "}\n"
    }

    @Test func `a source of 401 lines is too long`() {
        #expect(Rule.fileLength.accepts("Sources/A/B.swift", lines(400)))
        #expect(Rule.fileLength.judge("Sources/A/B.swift", lines(401)).map(\.line) == [401])
    }

    @Test func `a test may have 600 lines`() {
        #expect(Rule.fileLength.accepts("Tests/ATests/BTests.swift", lines(600)))
        #expect(!Rule.fileLength.accepts("Tests/ATests/BTests.swift", lines(601)))
    }

    @Test func `data may be long`() {
        #expect(Rule.fileLength.accepts("Tests/EndToEnd/corpus.yaml", lines(900)))
    }

    @Test func `a function of 61 lines is too long`() {
        #expect(Rule.functionLength.accepts("Sources/A/B.swift", function(lines: 60)))
        let violations = Rule.functionLength.judge("Sources/A/B.swift", function(lines: 61))
        #expect(violations.map(\.message) == ["'long' is 61 lines; at most 60"])
    }

    @Test func `braces in text do not end a function`() {
        let text = function(lines: 70).replacing("work()", with: "print(\"}\") // }")
        #expect(!Rule.functionLength.accepts("Sources/A/B.swift", text))
    }

    @Test func `a requirement of a protocol has no body`() {
        let text = "protocol P {\n func a() -> Int\n init(b: Int)\n}\n" + function(lines: 10)
        let file = SourceFile(path: "Sources/A/B.swift", text: text)
        #expect(file.functions.map(\.name) == ["long"])
    }

    @Test func `a call of an initializer is not one`() {
        let file = SourceFile(path: "A.swift", text: "init(a: Int) { self.init(); B.init() }")
        #expect(file.functions.count == 1)
    }

    @Test func `a line of 101 columns is too long`() {
        let line = String(repeating: "é", count: 100)
        #expect(Rule.columns.accepts("Sources/A/B.swift", line))
        #expect(Rule.columns.judge("Sources/A/B.swift", "\n\(line)x").map(\.line) == [2])
    }

    @Test(arguments: ["", "import X\n// The idea.\n", "// 1\n// 2\n// 3\n// 4\n// 5\n// 6\n// 7\n"])
    func `a file without its idea first is refused`(text: String) {
        #expect(!Rule.headerComment.accepts("Sources/A/B.swift", text))
    }

    @Test func `one line of header is for small files`() {
        let small = "// The idea.\n" + String(repeating: "\n", count: 98)
        #expect(Rule.headerComment.accepts("Sources/A/B.swift", small))
        #expect(!Rule.headerComment.accepts("Sources/A/B.swift", small + "\n"))
        #expect(Rule.headerComment.accepts("Sources/A/B.swift", "// And why.\n" + small))
    }

    @Test func `a block comment opens a C file`() {
        let text = "/* The idea,\n   and why. */\n"
        #expect(Rule.headerComment.accepts("Sources/System/C/c.h", text))
    }
}
