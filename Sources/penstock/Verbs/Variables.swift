// What `penstock secrets` and `penstock configs` do alike: list, show, remove, and the request that
// sets. Their words differ; a noun tells them.

import ArgumentParser
import Console
import Foundation
import Notation

protocol VariableNoun {
    static var word: String { get }
    /// A name to show in examples.
    static var example: String { get }
    /// What is not told of it.
    static var withheld: String { get }
}

enum SecretNoun: VariableNoun {
    static let word = "secret"
    static let example = "hf-token"
    static let withheld = ", without their values"
}

enum ConfigNoun: VariableNoun {
    static let word = "config"
    static let example = "eu"
    static let withheld = ""
}

enum VariableVerbs<Noun: VariableNoun> {
    private static var plural: String { Noun.word + "s" }

    private static func path(_ name: String) -> String {
        "/v1/\(plural)/\(AdminClient.segment(name))"
    }

    /// The verbs in the order of help.
    static func around(_ set: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        [All.self, set, Show.self, Remove.self]
    }

    struct All: AsyncParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "list", abstract: "List \(plural)\(Noun.withheld).",
                usage: "penstock \(plural) list")
        }

        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            options.show(
                try await client.list("/v1/\(plural)", plural), plural,
                none: "no \(plural); penstock \(plural) set --help"
            ) {
                Tables.variables($0, at: secondsNow())
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "show", abstract: "Show a \(Noun.word)'s versions\(Noun.withheld).",
                usage: "penstock \(plural) show \(Noun.example)")
        }

        @Argument(help: "Its name.") var name: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let answer = try await options.admin.client().get(path(name))
            options.show(answer) { YAMLText.text($0).trimmedEnd }
        }
    }

    struct Remove: AsyncParsableCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "delete", abstract: "Remove a \(Noun.word) that no deployment names.",
                usage: "penstock \(plural) delete \(Noun.example)")
        }

        @Argument(help: "Its name.") var name: String
        @OptionGroup var trial: DryRunOption
        @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

        func run() async throws {
            _ = try await admin.client().change(.delete, path(name), trial.query)
            let words = trial.told("removed", or: "would be removed")
            Terminal.print("\(name): \(words) with all its versions")
        }
    }

    static func put(
        _ name: String, _ content: JSONValue.Member, _ environment: String,
        _ options: VariableOptions
    ) async throws {
        var members = [JSONValue.Member(name: "environment", value: .string(environment)), content]
        if let text = options.description {
            members.append(.init(name: "description", value: .string(text)))
        }
        let client = try options.reading.admin.client()
        let answer = try await client.change(
            .put, path(name), options.trial.query, body: .object(members))
        options.reading.show(answer.json) { record in
            let version = record["version"]?.whole ?? 0
            return "\(name): " + options.trial.told("", or: "would be at ") + "version \(version)"
        }
    }
}
