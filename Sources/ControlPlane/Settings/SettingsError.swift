// Why a configuration is refused. Every problem names its place in the file, the field, and what
// is allowed; all problems of a file are told at once.

/// One thing that is wrong at one place.
package struct Problem: Sendable, Equatable {
    package var line: Int
    package var column: Int
    /// The key's path, such as `services.echo.retry.attempts`; empty for the file as a whole.
    package var field: String
    package var message: String

    package init(line: Int, column: Int, field: String, message: String) {
        self.line = line
        self.column = column
        self.field = field
        self.message = message
    }
}

package enum SettingsError: Error, Sendable, Equatable {
    case missing(file: String)
    case unreadable(file: String, reason: String)
    case tooLarge(file: String, bytesMax: Int)
    case invalid(file: String, problems: [Problem])
}

extension SettingsError: CustomStringConvertible {
    package var description: String { lines.joined(separator: "\n") }

    /// One problem a line, each complete in itself.
    package var lines: [String] {
        switch self {
        case .missing(let file): ["\(file): no such file"]
        case .unreadable(let file, let reason): ["\(file): cannot be read: \(reason)"]
        case .tooLarge(let file, let bytesMax):
            ["\(file): more than \(bytesMax / 1024 / 1024) MiB; a configuration is smaller"]
        case .invalid(let file, let problems):
            problems.map { problem in
                let place = "\(file):\(problem.line):\(problem.column): "
                let field = problem.field.isEmpty ? "" : "\(problem.field): "
                return place + field + problem.message
            }
        }
    }
}
