// What could stand at the cursor: from the tree of verbs as the argument parser tells it, and from
// the field table for verbs that take fields. Names that only the gateway knows are asked for.

import Deployments
package import Notation

package struct CompletionWords: Sendable {
    package struct Found: Equatable, Sendable {
        package var words: [String] = []
        /// A deployment's name would do, too.
        package var wantsDeployment = false
        /// The shell knows files better.
        package var wantsFile = false
    }

    private let root: JSONValue

    /// - Parameter help: what the argument parser dumps of itself.
    package init(help: JSONValue) {
        root = help["command"] ?? help
    }

    /// - Parameter words: those behind the program's name, the one at the cursor last.
    package func found(_ words: [String]) -> Found {
        guard let current = words.last else { return Found() }
        if words.count > 1, words[0] == "help" { return named(subcommands(of: root), current) }
        var place = Place(command: root)
        for word in words.dropLast() { place.pass(word) }
        if let option = place.open { return values(of: option, current) }
        if place.isBehindTerminator { return Found(wantsFile: true) }
        if current.hasPrefix("-") { return named(options(of: place), current) }
        var found = Found()
        if place.positionals == 0 { found = named(subcommands(of: place.command), current) }
        let positional = positional(at: place)
        let more = positional.map { values(of: .declared($0), current) } ?? Found()
        found.words += more.words
        found.wantsDeployment = more.wantsDeployment
        found.wantsFile = more.wantsFile
        return found
    }

    /// Where the words before the cursor lead.
    private struct Place {
        var command: JSONValue
        var positionals = 0
        /// An option whose value comes next.
        var open: Option?
        var isBehindTerminator = false

        mutating func pass(_ word: String) {
            if isBehindTerminator { return }
            if open != nil {
                open = nil
            } else if word == "--" {
                isBehindTerminator = true
            } else if word.hasPrefix("-") {
                open = word.contains("=") ? nil : option(word)
            } else if positionals == 0, let next = subcommand(word) {
                command = next
            } else {
                positionals += 1
            }
        }

        private func subcommand(_ word: String) -> JSONValue? {
            command["subcommands"]?.list.first { sub in
                sub["commandName"]?.text == word
                    || (sub["aliases"]?.list ?? []).contains { $0.text == word }
            }
        }

        private func option(_ word: String) -> Option? {
            let found = arguments(of: command).first { argument in
                names(of: argument).contains(word)
            }
            if let found { return found["kind"]?.text == "option" ? .declared(found) : nil }
            guard takesFields(command) else { return nil }
            return FieldFlags.all.first { $0.names.contains(String(word.dropFirst(2))) }
                .map { .field($0.field) }
        }
    }

    private enum Option {
        case declared(JSONValue)
        case field(Field)
    }

    private func named(_ words: [String], _ current: String) -> Found {
        Found(words: words.filter { $0.hasPrefix(current) }.sorted())
    }

    private func subcommands(of command: JSONValue) -> [String] {
        (command["subcommands"]?.list ?? []).filter { $0["shouldDisplay"]?.boolean != false }
            .compactMap { $0["commandName"]?.text }
    }

    private func options(of place: Place) -> [String] {
        let declared = Self.arguments(of: place.command).flatMap(Self.names)
        guard Self.takesFields(place.command) else { return declared }
        return declared + FieldFlags.all.flatMap(\.names).filter { $0 != "name" }.map { "--\($0)" }
            + ["--\(FieldFlags.replicas)"]
    }

    private func positional(at place: Place) -> JSONValue? {
        let all = Self.arguments(of: place.command).filter { $0["kind"]?.text == "positional" }
        if place.positionals < all.count { return all[place.positionals] }
        return all.last.flatMap { $0["isRepeating"]?.boolean == true ? $0 : nil }
    }

    private func values(of option: Option, _ current: String) -> Found {
        switch option {
        case .field(let field): return named(Self.values(of: field), current)
        case .declared(let argument):
            let name = argument["valueName"]?.text ?? ""
            if ["settings", "field=value", "field"].contains(name) {
                return settings(current, isWhole: name != "field")
            }
            let kind = argument["completionKind"]
            if kind?["file"] != nil || kind?["directory"] != nil { return Found(wantsFile: true) }
            var found = named((argument["allValues"]?.list ?? []).compactMap(\.text), current)
            found.wantsDeployment = kind?["customAsync"] != nil
            return found
        }
    }

    /// `memory=`, and behind the sign what the field may be.
    private func settings(_ current: String, isWhole: Bool) -> Found {
        let parts = current.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard isWhole, parts.count == 2 else {
            let names = DeploymentFields.all.map(\.name).filter { $0 != "name" }
            return named(isWhole ? names.map { "\($0)=" } : names, current)
        }
        let field = FieldGuide.find(String(parts[0])).first
        return named(field.map { Self.values(of: $0).map { "\(parts[0])=\($0)" } } ?? [], current)
    }

    private static func values(of field: Field) -> [String] {
        if field.schema["type"]?.text == "boolean" { return ["true", "false"] }
        return (field.schema["enum"]?.list ?? []).compactMap(\.text)
    }

    private static func takesFields(_ command: JSONValue) -> Bool {
        arguments(of: command).contains { names(of: $0).contains("--set") }
    }

    /// Those of the subcommand that is meant when none is named.
    private static func arguments(of command: JSONValue) -> [JSONValue] {
        let meant = command["defaultSubcommand"]?.text
        let sub = command["subcommands"]?.list.first { $0["commandName"]?.text == meant }
        return ((meant == nil ? command : sub ?? command)["arguments"]?.list ?? [])
            .filter { $0["shouldDisplay"]?.boolean != false }
    }

    private static func names(of argument: JSONValue) -> [String] {
        (argument["names"]?.list ?? []).compactMap { name in
            name["name"]?.text.map { name["kind"]?.text == "short" ? "-\($0)" : "--\($0)" }
        }
    }
}
