// Fields on the command line: `FIELD=VALUE`, `--set FIELD=VALUE`, and a flag of its own for each
// field, which the program turns into `--set` before it reads its arguments.

import ArgumentParser
import Console
import Foundation
import Notation

struct FieldOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A field; each has a flag of its own, too (penstock explain).",
            valueName: "field=value"))
    var set: [String] = []

    /// - Parameter more: given without `--set`.
    func document(_ more: [String] = [], removing: [String] = []) throws -> JSONValue {
        try Self.document(more + set, removing: removing)
    }

    static func document(_ texts: [String], removing: [String] = []) throws -> JSONValue {
        do {
            let edits = try texts.map { try FieldEdit($0) }
            let removals = try removing.map { try FieldEdit.removal($0) }
            return FieldEdit.document(edits + removals)
        } catch let fault as FieldEdit.Fault {
            throw Failure(.usage, fault.description)
        }
    }
}

extension JSONValue {
    /// Paths of files as the gateway needs them; only sound for one on this host.
    func withAbsolutePaths(isLocal: Bool) -> JSONValue {
        guard isLocal, let path = self["artifact"]?.text, !path.isEmpty, !path.hasPrefix("/") else {
            return self
        }
        let absolute = URL(filePath: path).absoluteURL.standardizedFileURL
        return setting("artifact", to: .string(absolute.path(percentEncoded: false)))
    }
}

/// Verbs that take fields by flags.
enum FieldVerbs {
    static let words: Set<String> = ["create", "set", "plan", "redeploy", "deploy"]

    /// The arguments as the parser takes them.
    static func expanded(_ arguments: [String]) -> [String] {
        guard let verb = arguments.first else { return arguments }
        let isModelDeploy = verb == "models" && arguments.dropFirst().first == "deploy"
        guard words.contains(verb) || isModelDeploy else { return arguments }
        return FieldFlags.expanded(arguments)
    }
}
