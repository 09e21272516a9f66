// Columns that line up. Cells carry their colour apart from their text, so that it does not count
// as width.

struct TextTable {
    struct Cell {
        var text: String
        var colour: Terminal.Colour?

        init(_ text: String, _ colour: Terminal.Colour? = nil) {
            self.text = text
            self.colour = colour
        }
    }

    private var rows: [[Cell]] = []

    init(_ titles: String...) {
        rows.append(titles.map { Cell($0, .dim) })
    }

    mutating func add(_ cells: Cell...) {
        rows.append(cells)
    }

    var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].text.count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let shownCount = row.lastIndex { !$0.text.isEmpty }.map { $0 + 1 } ?? 0
            return row.prefix(shownCount).enumerated().map { column, cell in
                let isLast = column == shownCount - 1
                let gap = isLast ? 0 : widths[column] - cell.text.count + 2
                let shown = cell.colour.map { Terminal.paint(cell.text, $0) } ?? cell.text
                return shown + String(repeating: " ", count: gap)
            }.joined()
        }.joined(separator: "\n")
    }
}
