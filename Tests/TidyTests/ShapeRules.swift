// Rules about size and form: how long a file, a function and a line may be, and how a file begins.
// The numbers are those a reader can hold in mind, not those a machine needs.

extension Rule {
    static let fileLength = Rule.each("files are at most 400 lines, tests 600") { file in
        guard file.isCode else { return [] }
        let limit = file.isTest ? 600 : 400
        guard file.lines.count > limit else { return [] }
        return [file.violation(limit + 1, "\(file.lines.count) lines; at most \(limit)")]
    }

    static let functionLength = Rule.each("functions are at most 60 lines") { file in
        file.functions.compactMap { function in
            let length = function.lastLine - function.firstLine + 1
            guard length > 60 else { return nil }
            return file.violation(
                function.firstLine, "'\(function.name)' is \(length) lines; at most 60")
        }
    }

    static let columns = Rule.each("lines are at most 100 columns") { file in
        guard file.isCode else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            // Bytes first: they are cheap to count and never fewer than the columns.
            guard line.utf8.count > 100, line.count > 100 else { return nil }
            return file.violation(index + 1, "\(line.count) columns; at most 100")
        }
    }

    static let headerComment = Rule.each("a file opens with its idea in a comment") { file in
        guard file.isSwift || file.isC, file.path != "Package.swift" else { return [] }
        // One line is enough for a file that fits on a screen or two.
        let allowed = file.lines.count < 100 ? 1...6 : 2...6
        guard !allowed.contains(file.headerLines) else { return [] }
        let message = "\(file.headerLines) lines of header comment; \(allowed) are allowed"
        return [file.violation(1, message)]
    }
}

extension SourceFile {
    /// Lines of comment before the first line of anything else.
    fileprivate var headerLines: Int {
        if isC, lines.first?.hasPrefix("/*") == true {
            return (lines.firstIndex { $0.contains("*/") } ?? lines.count) + 1
        }
        return lines.prefix { $0.hasPrefix("//") }.count
    }

    struct Function: Equatable {
        let name: String
        let isInitializer: Bool
        let firstLine: Int
        let lastLine: Int
    }

    /// Every `func`, `init`, `deinit` and `subscript` that has a body.
    var functions: [Function] {
        let introducers: Set = ["func", "init", "deinit", "subscript"]
        return tokens.indices.compactMap { index in
            let token = tokens[index]
            guard introducers.contains(token.text) else { return nil }
            // `self.init(…)` and `.init(…)` are calls.
            if index > 0, tokens[index - 1].text == "." { return nil }
            guard let open = bodyStart(after: index) else { return nil }
            let isNamed = token.text == "func" && index + 1 < tokens.count
            return Function(
                name: isNamed ? tokens[index + 1].text : token.text,
                isInitializer: token.text == "init", firstLine: token.line,
                lastLine: tokens[matchingBrace(of: open)].line)
        }
    }

    /// The `{` that opens a declaration's body; nil for a requirement of a protocol.
    private func bodyStart(after introducer: Int) -> Int? {
        let nextDeclaration: Set = [
            "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "class", "enum",
            "extension", "protocol", "typealias", "associatedtype", "static", "package", "public",
            "private", "fileprivate", "internal", "mutating", "}", ";",
        ]
        var depth = 0
        // The name may be any word, also one that introduces declarations elsewhere.
        var index = introducer + (tokens[introducer].text == "func" ? 2 : 1)
        while index < tokens.count {
            switch tokens[index].text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return index
            case let text where depth == 0 && nextDeclaration.contains(text): return nil
            default: break
            }
            index += 1
        }
        return nil
    }

    private func matchingBrace(of open: Int) -> Int {
        var depth = 0
        for index in open..<tokens.count {
            if tokens[index].text == "{" { depth += 1 }
            if tokens[index].text == "}" { depth -= 1 }
            if depth == 0 { return index }
        }
        return tokens.count - 1
    }
}
