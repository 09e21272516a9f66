// Keys and words as people type them: camelCase beside snake_case, and the nearest valid word for
// one that is not.

enum Spelling {
    /// `maxReplicas` is `max_replicas`; what is snake_case already stays as it is.
    static func snakeCase(_ key: String) -> String {
        var result = ""
        for character in key {
            if character.isASCII, character.isUppercase {
                if !result.isEmpty, result.last != "_" { result.append("_") }
                result.append(Character(character.lowercased()))
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// The one of `words` that is nearest to `given`, if it is near enough to be meant.
    static func nearest(to given: String, among words: [String]) -> String? {
        guard given.utf8.count <= Limits.quotedCharacters else { return nil }
        let ranked = words.map { (word: $0, distance: distance(given, $0)) }
        guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) })
        else { return nil }
        return best.distance <= max(1, best.word.count / 3) ? best.word : nil
    }

    /// A list for people: `a, b or c`.
    static func alternatives(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// A wrong value as a message repeats it: quoted, on one line, not too long.
    static func quoted(_ text: String) -> String {
        let printable = text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7f ? " " : Character(scalar)
        }
        let shown = String(printable.prefix(Limits.quotedCharacters))
        return printable.count > Limits.quotedCharacters ? "'\(shown)…'" : "'\(shown)'"
    }

    /// Edits (insert, delete, replace, swap neighbours) that make one word the other.
    static func distance(_ left: String, _ right: String) -> Int {
        let (a, b) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        var older = [Int](repeating: 0, count: b.count + 1)
        var previous = Array(0...b.count)
        for i in a.indices {
            var current = [i + 1]
            for j in b.indices {
                let replaced = previous[j] + (a[i] == b[j] ? 0 : 1)
                var best = min(previous[j + 1] + 1, current[j] + 1, replaced)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, older[j - 1] + 1)
                }
                current.append(best)
            }
            (older, previous) = (previous, current)
        }
        return previous[b.count]
    }
}
