// The problems of one file as they are found. Reading goes on after a problem, so that one run
// tells them all.

import Yams

final class Findings {
    private(set) var problems: [Problem] = []

    func add(_ message: String, field: String, at node: Node) {
        add(message, field: field, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    func add(_ message: String, field: String = "", line: Int, column: Int) {
        guard hasRoom else { return }
        problems.append(Problem(line: line, column: column, field: field, message: message))
    }

    /// Whether one more would be kept.
    var hasRoom: Bool { problems.count < Limits.problems }

    /// In the order of the file.
    var sorted: [Problem] {
        problems.enumerated().sorted { left, right in
            (left.element.line, left.element.column, left.offset)
                < (right.element.line, right.element.column, right.offset)
        }.map(\.element)
    }
}
