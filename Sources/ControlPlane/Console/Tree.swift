// A tree as rows of a table: the branches stand in the first cell, so that all columns of all
// levels line up.

package struct Tree: Sendable {
    package var cells: [TextTable.Cell]
    package var children: [Tree] = []

    package init(_ cells: TextTable.Cell..., children: [Tree] = []) {
        self.cells = cells
        self.children = children
    }

    package init(_ cells: [TextTable.Cell], children: [Tree] = []) {
        self.cells = cells
        self.children = children
    }

    /// Its rows below each other; the root has no branch before it.
    package func add(to table: inout TextTable) {
        table.add(cells)
        for (index, child) in children.enumerated() {
            child.add(to: &table, "", isLast: index == children.count - 1)
        }
    }

    private func add(to table: inout TextTable, _ stem: String, isLast: Bool) {
        var own = cells
        if let first = own.first {
            own[0] = TextTable.Cell(stem + (isLast ? "└─ " : "├─ ") + first.text, first.ink)
        }
        table.add(own)
        for (index, child) in children.enumerated() {
            child.add(
                to: &table, stem + (isLast ? "   " : "│  "), isLast: index == children.count - 1)
        }
    }
}
