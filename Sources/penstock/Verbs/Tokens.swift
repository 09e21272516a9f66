// `penstock tokens` and `penstock whoami`: who may do what.
// A secret is told once, on standard output alone, so that it can be kept by a pipe. Beside them,
// what needs no more than a look: machines, and the table of fields.

import ArgumentParser
import Console
import Deployments
import Foundation
import Notation

struct Tokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, make and revoke tokens of the admin port.",
        usage: """
            penstock tokens
            penstock tokens create --role operator --note 'on call'
            penstock tokens create --role engineer@development+staging --expires 30d
            penstock tokens revoke 01M7YTYCEP5JXR7XKCS52RRSFH
            """,
        subcommands: [All.self, Make.self, Revoke.self], defaultSubcommand: All.self)

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List tokens, without their secrets.",
            usage: "penstock tokens list")
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            options.show(try await client.list("/v1/tokens", "tokens"), "tokens", none: "no tokens")
            {
                Tables.tokens($0, at: secondsNow())
            }
        }
    }

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a token; its secret is told this once.",
            usage: """
                penstock tokens create --role viewer
                penstock tokens create --role engineer@staging --role viewer --expires 30d
                """,
            discussion: "Roles: viewer reads; operator also scales, stops, starts, restarts, rolls "
                + "back and shifts traffic; engineer registers models and, outside production, "
                + "changes deployments; approver decides; admin does everything.")

        @Option(
            help: ArgumentHelp(
                "A role, everywhere or only in some environments.",
                valueName: "role[@env+env]"))
        var role: [String]

        @Option(help: "What it is for.")
        var note: String?

        @Option(help: "For how long, such as 30d or 12h; 90 days without it.")
        var expires: TimeSpan?

        @OptionGroup var trial: DryRunOption
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let grants = role.map { text in
                let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
                let places = parts.count > 1 ? parts[1].split(separator: "+").map(String.init) : nil
                return JSONValue.object([
                    "role": .string(parts.first ?? ""),
                    "environments": places.map(JSONValue.texts),
                ])
            }
            let answer = try await options.admin.client().exchange(
                .post, "/v1/tokens", trial.query,
                body: JSONValue.object([
                    "grants": .array(grants), "note": note.map(JSONValue.string),
                    "expires_in": expires.map { .string($0.text) },
                ]).compact)
            options.show(answer.json) { token in
                if trial.dryRun { return "a token would be made: \(role.joined(separator: ", "))" }
                Terminal.error("token \(token["id"]?.text ?? ""): keep this, it is not told again")
                return token["secret"]?.text ?? ""
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a token at once.",
            usage: "penstock tokens revoke 01M7YTYCEP5JXR7XKCS52RRSFH")
        @Argument(help: "Its id.") var id: String
        @OptionGroup var trial: DryRunOption
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let answer = try await options.admin.client().change(
                .delete, "/v1/tokens/\(AdminClient.segment(id))", trial.query)
            options.show(answer.json) { _ in
                "\(id): " + trial.told("revoked", or: "would be revoked")
            }
        }
    }
}

struct WhoAmI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show the token in use and what it may.",
        usage: "penstock whoami")

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        options.show(try await client.get("/v1/whoami")) { token in
            let expiry = token["expires_at"].map { ", until \(Words.moment($0))" } ?? ""
            return "token \(token["id"]?.text ?? "?") at \(client.server): "
                + Tables.roles(token) + expiry
        }
    }
}

struct Nodes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show where replicas run and what room there is.",
        usage: """
            penstock nodes
            penstock nodes --types
            """)

    @Flag(help: "List sizes of replicas by name instead.")
    var types = false

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        if types {
            return options.show(
                try await client.get("/v1/instanceTypes"), "instance_types", none: "no types",
                Tables.instanceTypes)
        }
        options.show(
            try await client.list("/v1/nodes", "nodes"), "nodes", none: "no nodes", Tables.nodes)
    }
}

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain the fields of a deployment.",
        usage: """
            penstock explain                       # all of them
            penstock explain scaling_config
            penstock explain memory
            """)

    @Argument(help: "A field, a group, or a part of a name.")
    var word: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let fields = FieldGuide.find(word ?? "")
        guard !fields.isEmpty else {
            let isReserved = word.map(DeploymentFields.isReserved) ?? false
            throw Failure(
                .notFound,
                isReserved
                    ? "'\(word ?? "")' is not supported yet"
                    : "there is no field '\(word ?? "")'; penstock explain lists them")
        }
        if json { return Terminal.print(FieldGuide.json(fields).pretty.trimmedEnd) }
        Terminal.print(
            fields.count == 1
                ? FieldGuide.detail(fields[0], Terminal.paint)
                : FieldGuide.overview(fields, Terminal.paint, width: Terminal.width))
    }
}
