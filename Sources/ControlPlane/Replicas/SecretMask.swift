// Hides what must not be shown in what a replica has printed: values, wherever they stand in a line
// and also where a long line was cut in two. One pass over the bytes whatever the number of values.
// Pure.

package struct SecretMask: Sendable {
    package static let mark = "***"
    /// Shorter ones are words that stand everywhere.
    package static let leastCharacters = 8

    /// Each by its first eight bytes, the longest first: one value may begin like another.
    private var values: [UInt64: [[UInt8]]] = [:]
    /// Which bytes a value begins with: most positions are passed by with one look.
    private var isFirst = [Bool](repeating: false, count: 256)

    /// A value of several lines is printed as such, so each of its lines is one by itself.
    package init(_ secrets: some Sequence<String>) {
        let lines = secrets.flatMap { $0.split(whereSeparator: \.isNewline) }
        for line in Set(lines.filter { $0.count >= Self.leastCharacters }) {
            let bytes = Array(line.utf8)
            values[Self.head(bytes, 0), default: []].append(bytes)
            isFirst[Int(bytes[0])] = true
        }
        for (head, found) in values { values[head] = found.sorted { $0.count > $1.count } }
    }

    package var isEmpty: Bool { values.isEmpty }

    package func masked(_ text: String) -> String { masked(pieces: [text])[0] }

    /// Of a text that was cut into pieces; each stays a piece.
    package func masked(pieces: [String]) -> [String] {
        guard !isEmpty, !pieces.isEmpty else { return pieces }
        let bytes = pieces.flatMap(\.utf8)
        let matches = matches(in: bytes)
        if matches.isEmpty { return pieces }
        var (shown, start, next) = ([String](), 0, matches.startIndex)
        for piece in pieces {
            let end = start + piece.utf8.count
            var (text, at) = ([UInt8](), start)
            while next < matches.endIndex, matches[next].lowerBound < end {
                let match = matches[next]
                if match.lowerBound >= start {
                    text += bytes[at..<match.lowerBound]
                    text += Self.mark.utf8
                }
                at = min(match.upperBound, end)
                // What goes on in the next piece is met again there.
                if match.upperBound > end { break }
                next += 1
            }
            text += bytes[at..<end]
            shown.append(String(decoding: text, as: UTF8.self))
            start = end
        }
        return shown
    }

    private func matches(in bytes: [UInt8]) -> [Range<Int>] {
        var matches: [Range<Int>] = []
        var index = 0
        while index + Self.leastCharacters <= bytes.count {
            guard isFirst[Int(bytes[index])], let found = values[Self.head(bytes, index)],
                let value = found.first(where: { bytes[index...].starts(with: $0) })
            else {
                index += 1
                continue
            }
            matches.append(index..<index + value.count)
            index += value.count
        }
        return matches
    }

    private static func head(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension LogPage {
    /// As it may be shown.
    package func masked(by mask: SecretMask) -> LogPage {
        if mask.isEmpty { return self }
        var page = self
        var isDone = [Bool](repeating: false, count: lines.count)
        for first in lines.indices where !isDone[first] {
            var (places, last) = ([first], first)
            while lines[last].isPartial,
                let next = lines[(last + 1)...].firstIndex(where: {
                    $0.stream == lines[first].stream
                })
            {
                places.append(next)
                last = next
            }
            let shown = mask.masked(pieces: places.map { lines[$0].text })
            for (place, text) in zip(places, shown) {
                page.lines[place].text = text
                isDone[place] = true
            }
        }
        return page
    }
}

extension CrashDossier {
    /// As it may be shown.
    package func masked(by mask: SecretMask) -> CrashDossier {
        if mask.isEmpty { return self }
        var dossier = self
        dossier.cause = mask.masked(cause)
        dossier.commandLine = commandLine.map(mask.masked)
        dossier.lastOut = lastOut.map(mask.masked)
        dossier.lastError = lastError.map(mask.masked)
        return dossier
    }
}
