// `penstock secrets` and `penstock configs`: variables that deployments name instead of holding.
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
        subcommands: [All.self, Put.self, Show.self, Remove.self], defaultSubcommand: All.self)

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List secrets, without their values.",
            usage: "penstock secrets list")
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "secrets").list(options)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a secret's versions, without their values.",
            usage: "penstock secrets show hf-token")
        @Argument(help: "The secret.") var name: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "secrets").show(name, options)
        }
    }

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
            try await VariableKindVerbs(plural: "secrets").put(
                name, .init(name: "value", value: .string(text)), environment, options)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Remove a secret that no deployment names.",
            usage: "penstock secrets delete hf-token")
        @Argument(help: "The secret.") var name: String
        @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "secrets").remove(name, admin)
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
        subcommands: [All.self, Put.self, Show.self, Remove.self], defaultSubcommand: All.self)

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List configs.", usage: "penstock configs list")
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "configs").list(options)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a config's versions and values.", usage: "penstock configs show eu")
        @Argument(help: "The config.") var name: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "configs").show(name, options)
        }
    }

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
            try await VariableKindVerbs(plural: "configs").put(
                name, .init(name: "values", value: .object(members)), environment, options)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Remove a config that no deployment names.",
            usage: "penstock configs delete eu")
        @Argument(help: "The config.") var name: String
        @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

        func run() async throws {
            try await VariableKindVerbs(plural: "configs").remove(name, admin)
        }
    }
}

struct VariableOptions: ParsableArguments {
    @Option(help: "What it is for.")
    var description: String?

    @Flag(help: "Make all checks; change nothing.")
    var dryRun = false

    @OptionGroup var reading: ReadOptions
}

/// What both do alike.
private struct VariableKindVerbs {
    let plural: String

    private func path(_ name: String) -> String { "/v1/\(plural)/\(AdminClient.segment(name))" }

    func list(_ options: ReadOptions) async throws {
        let client = try options.admin.client()
        options.show(
            try await client.list("/v1/\(plural)", plural), plural,
            none: "no \(plural); penstock \(plural) set --help"
        ) {
            Tables.variables($0, at: secondsNow())
        }
    }

    func show(_ name: String, _ options: ReadOptions) async throws {
        let answer = try await options.admin.client().get(path(name))
        options.show(answer) { YAMLText.text($0).trimmedEnd }
    }

    func put(
        _ name: String, _ content: JSONValue.Member, _ environment: String,
        _ options: VariableOptions
    ) async throws {
        var members = [JSONValue.Member(name: "environment", value: .string(environment)), content]
        if let text = options.description {
            members.append(.init(name: "description", value: .string(text)))
        }
        let client = try options.reading.admin.client()
        let answer = try await client.change(
            .put, path(name), [("dryRun", options.dryRun ? "true" : nil)],
            body: .object(members))
        options.reading.show(answer.json) { record in
            let version = record["version"]?.whole ?? 0
            return options.dryRun
                ? "\(name): would be at version \(version)" : "\(name): version \(version)"
        }
    }

    func remove(_ name: String, _ admin: ServerOptions) async throws {
        _ = try await admin.client().change(.delete, path(name))
        Terminal.print("\(name): removed with all its versions")
    }
}
