// Rules about words: marks of unfinished work, words that trap, names that say nothing, waiting by
// the clock in tests, and paths of somebody's machine.

extension Rule {
    /// Spelled in halves, so that this file keeps its own rule.
    private static let marks: Set = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

    static let leftoverMarks = Rule.each("no marks of unfinished work") { file in
        let inComments = file.comments.flatMap { comment in
            words(of: comment.text).filter(marks.contains).map { ($0, comment.line) }
        }
        let inCode = file.tokens(among: marks).map { ($0.text, $0.line) }
        return (inComments + inCode).map { word, line in
            file.violation(line, "'\(word)': finish it or file an issue")
        }
    }

    static let trappingWords = Rule.each("programs have no word that traps") { file in
        guard file.isProgram, ["fatalError", "try", "as"].contains(where: file.has) else {
            return []
        }
        return file.tokens.indices.compactMap { index in
            let token = file.tokens[index]
            if token.text == "fatalError" { return file.violation(token.line, "'fatalError'") }
            guard token.text == "try" || token.text == "as", index + 1 < file.tokens.count else {
                return nil
            }
            let next = file.tokens[index + 1]
            guard next.text == "!", next.offset == token.offset + token.text.utf8.count else {
                return nil
            }
            return file.violation(token.line, "'\(token.text)!'")
        }
    }

    static let typeNames = Rule.each("a type's name says what it is") { file in
        let introducers: Set = [
            "struct", "class", "enum", "actor", "protocol", "typealias", "associatedtype",
        ]
        let banned: Set = [
            "Manager", "Managers", "Helper", "Helpers", "Util", "Utils", "Utility", "Utilities",
            "Info", "Impl", "Base", "Common",
        ]
        return zip(file.tokens, file.tokens.dropFirst()).compactMap { introducer, name in
            guard introducers.contains(introducer.text) else { return nil }
            let empty = camelParts(of: name.text).filter(banned.contains)
            guard let part = empty.first, name.text.first?.isUppercase == true else { return nil }
            return file.violation(name.line, "type '\(name.text)': '\(part)' says nothing")
        }
    }

    static let noSleeps = Rule.each("tests do not sleep") { file in
        guard file.isTest else { return [] }
        let sleeps: Set = ["sleep", "usleep", "nanosleep"]
        let swift = file.tokens(among: sleeps).map(\.line)
        // The harness of the end-to-end stories may poll; a story itself may not wait by the clock.
        let isStory = file.isPython && file.name.hasPrefix("test_")
        let python = file.lines.indices.filter { isStory && file.lines[$0].contains("sleep(") }
        return (swift + python.map { $0 + 1 }).map { file.violation($0, "sleeps") }
    }

    static let machinePaths = Rule.each("no paths of one machine") { file in
        guard !file.isTest else { return [] }
        let banned = ["/work/", "/root/", "/tmp/"].filter(file.text.contains)
        if banned.isEmpty { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard let path = banned.first(where: line.contains) else { return nil }
            return file.violation(index + 1, "names the machine path '\(path)'")
        }
    }
}

private func words(of text: String) -> [String] {
    text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
}

/// `URLInfoBase` is `U`, `R`, `L`, `Info`, `Base`: enough to find a whole part.
private func camelParts(of name: String) -> [String] {
    name.reduce(into: []) { parts, character in
        if character.isUppercase || parts.isEmpty {
            parts.append(String(character))
        } else {
            parts[parts.count - 1].append(character)
        }
    }
}
