// Keys and words as people type them: camelCase beside snake_case, and the nearest valid word for
// one that is not.

package enum Spelling {
    /// Characters of a wrong value that a message repeats.
    private static let quotedCharacters = 60

    /// `maxReplicas` is `max_replicas`, `targetCPU` is `target_cpu`; what is snake_case already
    /// stays as it is.
    package static func snakeCase(_ key: String) -> String {
        let letters = Array(key)
        var result = ""
        for (index, letter) in letters.enumerated() {
            guard letter.isASCII, letter.isUppercase else {
                result.append(letter)
                continue
            }
            let before = index > 0 ? letters[index - 1] : "_"
            let isInAcronym = before.isASCII && before.isUppercase
            let startsWord = index + 1 < letters.count && letters[index + 1].isLowercase
            if before != "_", !isInAcronym || startsWord { result.append("_") }
            result.append(Character(letter.lowercased()))
        }
        return result
    }

    /// The one of `words` that is nearest to `given`, if it is near enough to be meant.
    package static func nearest(to given: String, among words: [String]) -> String? {
        guard given.utf8.count <= quotedCharacters else { return nil }
        let ranked = words.map { (word: $0, distance: distance(given, $0)) }
        guard let best = ranked.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) })
        else { return nil }
        return best.distance <= max(1, best.word.count / 3) ? best.word : nil
    }

    /// A list for people: `a, b or c`.
    package static func alternatives(_ words: [String]) -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// A wrong value as a message repeats it: quoted, on one line, not too long.
    package static func quoted(_ text: String) -> String {
        let printable = text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7f ? " " : Character(scalar)
        }
        let shown = String(printable.prefix(quotedCharacters))
        return printable.count > quotedCharacters ? "'\(shown)…'" : "'\(shown)'"
    }

    /// Edits (insert, delete, replace, swap neighbours) that make one word the other.
    package static func distance(_ left: String, _ right: String) -> Int {
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
