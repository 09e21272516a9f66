// Splits Swift text into words, punctuation and comments, so that a rule about code is not fooled
// by a string or a comment. It knows nested comments, raw and multi-line strings, interpolation and
// raw identifiers; not regex literals, of which this repository has none. It never fails: text that
// is not Swift gives odd tokens, no trap.

struct Token: Equatable {
    /// A word, a number, or one punctuation byte. A raw identifier is the word "`".
    let text: String
    let line: Int
    /// Where its first byte stands; tokens that touch have no space between them.
    let offset: Int
}

struct Comment: Equatable {
    let text: String
    let line: Int
}

struct SwiftLexer {
    private(set) var tokens: [Token] = []
    private(set) var comments: [Comment] = []

    private enum Context {
        /// Code; parentheses open inside an interpolation.
        case code(parentheses: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var contexts: [Context] = [.code(parentheses: 0)]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        while index < bytes.count {
            switch contexts.last {
            case .string(let hashes, let isMultiline):
                stepInString(hashes: hashes, isMultiline: isMultiline)
            case .code(let parentheses):
                stepInCode(parentheses: parentheses)
            case nil:
                contexts = [.code(parentheses: 0)]
            }
        }
    }

    // MARK: Code

    private mutating func stepInCode(parentheses: Int) {
        let byte = bytes[index]
        switch byte {
        case newline:
            line += 1
            index += 1
        case space, tab, carriageReturn:
            repeat { index += 1 } while index < bytes.count && bytes[index] == space
        case slash where peek(1) == slash:
            takeLineComment()
        case slash where peek(1) == star:
            takeBlockComment()
        case quote:
            openString(hashes: 0)
        case hash where opensRawString():
            openString(hashes: hashRun(at: index))
        case backtick:
            takeRawIdentifier()
        case _ where isWord(byte):
            takeWord()
        default:
            takePunctuation(byte, parentheses: parentheses)
        }
    }

    private mutating func takeWord() {
        let start = index
        while index < bytes.count, isWord(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        tokens.append(Token(text: text, line: line, offset: start))
    }

    private mutating func takePunctuation(_ byte: UInt8, parentheses: Int) {
        let isInterpolated = contexts.count > 1
        if isInterpolated, byte == closingParenthesis, parentheses == 0 {
            contexts.removeLast()
            index += 1
            return
        }
        if isInterpolated, byte == openingParenthesis {
            contexts[contexts.count - 1] = .code(parentheses: parentheses + 1)
        } else if isInterpolated, byte == closingParenthesis {
            contexts[contexts.count - 1] = .code(parentheses: parentheses - 1)
        }
        let text = String(decoding: bytes[index...index], as: UTF8.self)
        tokens.append(Token(text: text, line: line, offset: index))
        index += 1
    }

    /// What stands between backticks is a name, not code.
    private mutating func takeRawIdentifier() {
        tokens.append(Token(text: "`", line: line, offset: index))
        index += 1
        while index < bytes.count, bytes[index] != backtick, bytes[index] != newline { index += 1 }
        if peek(0) == backtick { index += 1 }
    }

    // MARK: Comments

    private mutating func takeLineComment() {
        let start = index
        while index < bytes.count, bytes[index] != newline { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        comments.append(Comment(text: text, line: line))
    }

    private mutating func takeBlockComment() {
        let start = index
        let first = line
        var depth = 0
        repeat {
            if bytes[index] == slash, peek(1) == star {
                depth += 1
                index += 2
            } else if bytes[index] == star, peek(1) == slash {
                depth -= 1
                index += 2
            } else {
                if bytes[index] == newline { line += 1 }
                index += 1
            }
        } while depth > 0 && index < bytes.count
        index = min(index, bytes.count)
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        comments.append(Comment(text: text, line: first))
    }

    // MARK: Strings

    private func opensRawString() -> Bool {
        let end = index + hashRun(at: index)
        return end < bytes.count && bytes[end] == quote
    }

    private mutating func openString(hashes: Int) {
        index += hashes
        let isMultiline = peek(1) == quote && peek(2) == quote
        index += isMultiline ? 3 : 1
        contexts.append(.string(hashes: hashes, isMultiline: isMultiline))
    }

    private mutating func stepInString(hashes: Int, isMultiline: Bool) {
        switch bytes[index] {
        case backslash where hashRun(at: index + 1) >= hashes:
            index += 1 + hashes
            if peek(0) == openingParenthesis {
                index += 1
                contexts.append(.code(parentheses: 0))
            } else if let escaped = peek(0), escaped != newline {
                index += 1
            }
        case quote where closesString(hashes: hashes, isMultiline: isMultiline):
            index += (isMultiline ? 3 : 1) + hashes
            contexts.removeLast()
        case newline:
            line += 1
            index += 1
            if !isMultiline { contexts.removeLast() }
        default:
            index += 1
        }
    }

    private func closesString(hashes: Int, isMultiline: Bool) -> Bool {
        if isMultiline, peek(1) != quote || peek(2) != quote { return false }
        return hashRun(at: index + (isMultiline ? 3 : 1)) >= hashes
    }

    // MARK: Bytes

    private func peek(_ distance: Int) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private func hashRun(at start: Int) -> Int {
        var end = start
        while end < bytes.count, bytes[end] == hash { end += 1 }
        return end - start
    }

    private func isWord(_ byte: UInt8) -> Bool {
        (byte >= 0x61 && byte <= 0x7A) || (byte >= 0x41 && byte <= 0x5A)
            || (byte >= 0x30 && byte <= 0x39) || byte == 0x5F || byte >= 0x80
    }

    private let newline: UInt8 = 0x0A
    private let carriageReturn: UInt8 = 0x0D
    private let tab: UInt8 = 0x09
    private let space: UInt8 = 0x20
    private let quote: UInt8 = 0x22
    private let hash: UInt8 = 0x23
    private let openingParenthesis: UInt8 = 0x28
    private let closingParenthesis: UInt8 = 0x29
    private let star: UInt8 = 0x2A
    private let slash: UInt8 = 0x2F
    private let backslash: UInt8 = 0x5C
    private let backtick: UInt8 = 0x60
}
