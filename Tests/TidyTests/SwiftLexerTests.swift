// The lexer that the rules stand on: what is code, what is a comment, what is text.

import Testing

@Suite struct SwiftLexerTests {
    private func words(_ text: String) -> [String] {
        SwiftLexer(Array(text.utf8)).tokens.map(\.text)
    }

    @Test func `words and punctuation are tokens`() {
        #expect(words("let a_1 = b") == ["let", "a_1", "=", "b"])
    }

    @Test func `a token knows its line`() {
        let tokens = SwiftLexer(Array("a\n\"\"\"\n x\n\"\"\"\nb".utf8)).tokens
        #expect(tokens.map(\.line) == [1, 5])
    }

    @Test(arguments: [
        #"a "text" b"#, #"a "say \"text\"" b"#, "a \"\"\"\n say \"text\"\n \"\"\" b",
        ##"a #"say "text" \n"# b"##, #"a "}{" b"#, "a // text\n b", "a /* /* text */ */ b",
    ])
    func `strings and comments are not code`(text: String) {
        #expect(words(text) == ["a", "b"])
    }

    @Test func `an interpolation is code`() {
        let text = #"a "x \(f("y", (b))) z" c"#
        #expect(words(text) == ["a", "f", "(", ",", "(", "b", ")", ")", "c"])
    }

    @Test func `a raw string's interpolation needs its hashes`() {
        #expect(words(##"a #"\(b) \#(c)"# d"##) == ["a", "c", "d"])
    }

    @Test func `a raw identifier is one token`() {
        #expect(words("func `a \"{ is } refused`() {}") == ["func", "`", "(", ")", "{", "}"])
    }

    @Test func `comments are kept apart with their lines`() {
        let comments = SwiftLexer(Array("a // one\n/* two\n */ b // three".utf8)).comments
        #expect(
            comments == [
                Comment(text: "// one", line: 1), Comment(text: "/* two\n */", line: 2),
                Comment(text: "// three", line: 3),
            ])
    }

    @Test(arguments: ["\"", "\"\"\"", "#\"", "/*", "`", "\"\\", "\"\\(", "\"\\(\"", "#", ")", "\\"])
    func `text that ends too early does not trap`(text: String) {
        #expect(SwiftLexer(Array(text.utf8)).tokens.count <= 2)
    }
}
