// `penstock secrets` and `penstock configs`: variables that deployments name instead of holding.
// What both do alike stands in Variables.swift; setting them differs.
// A secret's value comes from a file or from standard input, never from an argument: arguments are
// in the shell's history and in every list of processes.

import ArgumentParser
import Console
import Foundation
import Notation

struct Secrets: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, set and remove secrets that deployments name.",
        usage: """
            penstock secrets
            penstock secrets set hf-token --environment staging < token.txt
            penstock set iris secrets.HF_TOKEN=hf-token
            penstock secrets delete hf-token
            """,
        subcommands: VariableVerbs<SecretNoun>.around(Put.self),
        defaultSubcommand: VariableVerbs<SecretNoun>.All.self)

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set a secret: its next version, unless the newest is the same.",
            usage: """
                penstock secrets set hf-token --environment staging < token.txt
                penstock secrets set hf-token --environment staging --file token.txt
                """,
            discussion: "One newline at the end of the value is left out. Revisions made from now "
                + "on take it up; penstock redeploy NAME makes one.")
        @Argument(help: "The secret.") var name: String
        @Option(help: "Whose deployments may name it; it never changes.")
        var environment: String
        @Option(help: "The file that holds the value; '-' is standard input.")
        var file = "-"
        @OptionGroup var options: VariableOptions

        func run() async throws {
            var text = String(decoding: try DocumentFile.bytes(file), as: UTF8.self)
            if text.hasSuffix("\n") { text.removeLast() }
            try await VariableVerbs<SecretNoun>.put(
                name, .init(name: "value", value: .string(text)), environment, options)
        }
    }
}

struct Configs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, set and remove sets of variables that deployments name.",
        usage: """
            penstock configs
            penstock configs set eu --environment staging REGION=eu LOG_LEVEL=info
            penstock configs show eu
            penstock configs delete eu
            """,
        subcommands: VariableVerbs<ConfigNoun>.around(Put.self),
        defaultSubcommand: VariableVerbs<ConfigNoun>.All.self)

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set a config: its next version, unless the newest is the same.",
            usage: "penstock configs set eu --environment staging REGION=eu LOG_LEVEL=info",
            discussion: "The variables given replace all there were.")
        @Argument(help: "The config.") var name: String
        @Argument(help: "Its variables.") var variables: [String]
        @Option(help: "Whose deployments may name it; it never changes.")
        var environment: String
        @OptionGroup var options: VariableOptions

        func run() async throws {
            let members = try variables.map { text throws in
                let parts = text.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !parts[0].isEmpty else {
                    throw Failure(.usage, "'\(text)' is no variable; write NAME=value")
                }
                return JSONValue.Member(name: String(parts[0]), value: .string(String(parts[1])))
            }
            try await VariableVerbs<ConfigNoun>.put(
                name, .init(name: "values", value: .object(members)), environment, options)
        }
    }
}

struct VariableOptions: ParsableArguments {
    @Option(help: "What it is for.")
    var description: String?

    @OptionGroup var trial: DryRunOption
    @OptionGroup var reading: ReadOptions
}
