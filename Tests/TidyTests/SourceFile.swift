// One file as the rules see it: its path in the repository, its lines, and for Swift its tokens.
// Made once per file and shared by all rules; a value, so rules can be fed samples from strings.

struct SourceFile {
    /// Relative to the repository's root, with forward slashes.
    let path: String
    let text: String
    let lines: [Substring]
    /// Empty for anything but Swift.
    let tokens: [Token]
    let comments: [Comment]
    /// Every text that a token has: most rules look for words that most files do not have.
    private let words: Set<String>

    init(path: String, text: String) {
        self.path = path
        self.text = text
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        self.lines = lines
        let lexer = path.hasSuffix(".swift") ? SwiftLexer(Array(text.utf8)) : SwiftLexer([])
        tokens = lexer.tokens
        comments = lexer.comments
        words = Set(tokens.map(\.text))
    }

    /// Where these words stand.
    func tokens(among wanted: Set<String>) -> [Token] {
        if wanted.isDisjoint(with: words) { return [] }
        return tokens.filter { wanted.contains($0.text) }
    }

    func has(_ word: String) -> Bool { words.contains(word) }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isPython: Bool { path.hasSuffix(".py") }
    var isMarkdown: Bool { path.hasSuffix(".md") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    var isCode: Bool { isSwift || isPython || isC }
    var isTest: Bool { path.hasPrefix("Tests/") }
    var isProgram: Bool { path.hasPrefix("Sources/") || path.hasPrefix("Benchmarks/") }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }

    func isUnder(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }

    func violation(_ line: Int, _ message: String) -> Violation {
        Violation(path: path, line: line, message: message)
    }

    /// The modules this file imports, with the line of each.
    var imports: [(module: String, line: Int)] {
        let kinds: Set = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
        ]
        return tokens.indices.compactMap { index in
            guard tokens[index].text == "import" else { return nil }
            let rest = tokens[(index + 1)...].prefix(2)
            guard let module = rest.first(where: { !kinds.contains($0.text) }) else { return nil }
            return (module.text, tokens[index].line)
        }
    }
}
