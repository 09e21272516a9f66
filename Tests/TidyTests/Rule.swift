// A rule is a name and a pure function from the repository, as a value, to what breaks it. Most
// look at one file at a time; a few at the whole. `Rule.all` is what the repository must keep.

import Testing

struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let violations: @Sendable (Repository) -> [Violation]

    var testDescription: String { name }

    /// A rule about the repository as a whole.
    static func whole(
        _ name: String, _ check: @escaping @Sendable (Repository) -> [Violation]
    ) -> Rule {
        Rule(name: name, violations: check)
    }

    /// A rule about each file by itself.
    static func each(
        _ name: String, _ check: @escaping @Sendable (SourceFile) -> [Violation]
    ) -> Rule {
        Rule(name: name) { $0.files.flatMap(check) }
    }

    static let all: [Rule] = [
        .fileLength, .functionLength, .columns, .headerComment,
        .planesApart, .noFoundation, .planesMeetInWiring, .noSuspension, .purity, .unsafePlaces,
        .leftoverMarks, .trappingWords, .typeNames, .noSleeps, .machinePaths,
        .linksAlive, .targetsDescribed,
        .testsBesideSources, .limitsWritten,
    ]
}
