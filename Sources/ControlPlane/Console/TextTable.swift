// Columns that line up. Cells carry their ink apart from their text, so that it does not count as
// width. A line that is wider than the terminal loses the end of its last cell; where that is not
// enough, the columns before the last go, the rightmost first: they are the least telling.

package struct TextTable: Sendable {
    package struct Cell: Sendable, Equatable {
        package var text: String
        package var ink: Paint.Ink?

        package init(_ text: String, _ ink: Paint.Ink? = nil) {
            self.text = text.visibleLine
            self.ink = ink
        }
    }

    /// What a last cell keeps of its text at least, if it has so much; and where only the two most
    /// telling columns stand before it.
    private static let leastKept = (usual: 16, last: 8)
    /// A row is known by its first column, and has something to say besides.
    private static let leastColumns = 2

    private var rows: [[Cell]] = []
    /// The first row names the columns.
    private let hasTitles: Bool

    package init(_ titles: String...) {
        hasTitles = !titles.isEmpty
        if hasTitles { rows.append(titles.map { Cell($0, .dim) }) }
    }

    package mutating func add(_ cells: Cell...) { add(cells) }

    package mutating func add(_ cells: [Cell]) { rows.append(cells) }

    package var isEmpty: Bool { rows.count == (hasTitles ? 1 : 0) }

    /// - Parameter width: columns of the terminal; nil cuts nothing.
    package func text(_ paint: Paint = .plain, width: Int? = nil) -> String {
        lines(paint, width: width).joined(separator: "\n")
    }

    package func lines(_ paint: Paint = .plain, width: Int? = nil) -> [String] {
        var shown = hasTitles ? rowsWithoutEmptyColumns : rows
        var widths = Self.widths(of: shown)
        if let width {
            while widths.count > Self.leastColumns, Self.least(widths) > width {
                let dropped = widths.count - 2
                for row in shown.indices where dropped < shown[row].count {
                    shown[row].remove(at: dropped)
                }
                widths.remove(at: dropped)
            }
        }
        return shown.map { line($0, widths, paint, width) }
    }

    private static func widths(of rows: [[Cell]]) -> [Int] {
        (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.map { column < $0.count ? $0[column].text.columns : 0 }.max() ?? 0
        }
    }

    /// Columns of a terminal that show enough of the last cell.
    private static func least(_ widths: [Int]) -> Int {
        let kept = widths.count > 3 ? leastKept.usual : leastKept.last
        return widths.dropLast().reduce(0) { $0 + $1 + 2 } + min(kept, widths.last ?? 0)
    }

    /// A column in which nothing is said has no title either.
    private var rowsWithoutEmptyColumns: [[Cell]] {
        let columns = rows.map(\.count).max() ?? 0
        let kept = (0..<columns).filter { column in
            isEmpty
                || rows.dropFirst().contains { column < $0.count && !$0[column].text.isEmpty }
        }
        return rows.map { row in kept.compactMap { $0 < row.count ? row[$0] : nil } }
    }

    private func line(_ row: [Cell], _ widths: [Int], _ paint: Paint, _ width: Int?) -> String {
        let count = row.lastIndex { !$0.text.isEmpty }.map { $0 + 1 } ?? 0
        var used = 0
        return row.prefix(count).enumerated().map { column, cell in
            guard column < count - 1 else {
                let room = width.map { max(1, $0 - used) }
                return paint(cell.text.cut(to: room), cell.ink)
            }
            used += widths[column] + 2
            let gap = String(repeating: " ", count: widths[column] - cell.text.columns + 2)
            return paint(cell.text, cell.ink) + gap
        }.joined()
    }
}

extension String {
    /// Columns it takes on a terminal: two for the wide letters of East Asia and for pictures.
    package var columns: Int {
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8.count }
        return reduce(0) { $0 + ($1.isWide ? 2 : 1) }
    }

    /// The beginning that fits, with an ellipsis for what is missing.
    package func cut(to room: Int?) -> String {
        guard let room, columns > room, room > 0 else { return self }
        var (kept, used) = ("", 0)
        for letter in self {
            let wide = letter.isWide ? 2 : 1
            if used + wide > room - 1 { break }
            kept.append(letter)
            used += wide
        }
        return kept + "…"
    }

    /// With spaces behind it.
    package func padded(to columns: Int) -> String {
        self + String(repeating: " ", count: max(0, columns - self.columns))
    }

    /// One line of at most so many columns, broken at spaces.
    package func wrapped(to columns: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in split(separator: " ", omittingEmptySubsequences: false) {
            if !line.isEmpty, line.columns + 1 + String(word).columns > columns {
                lines.append(line)
                line = String(word)
            } else {
                line += lines.isEmpty && line.isEmpty ? String(word) : " " + word
            }
        }
        lines.append(line)
        return lines
    }
}

extension Character {
    fileprivate var isWide: Bool {
        guard let scalar = unicodeScalars.first?.value else { return false }
        switch scalar {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return true
        default: return false
        }
    }
}
