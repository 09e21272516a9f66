// `penstock list` and `penstock get`: deployments in a table, and one with all its fields.
// Wishes are told by these; how things are, by `status`.

import ArgumentParser
import Console
import Deployments
import Foundation
import Notation

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List deployments.",
        usage: """
            penstock list
            penstock list --environment production --status degraded,failed
            penstock list --watch
            """, aliases: ["ls"])

    @OptionGroup var filter: DeploymentFilter

    @Flag(name: .shortAndLong, help: "Go on and print each change.")
    var watch = false

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        let answer = try await client.list("/v1/deployments", "deployments", filter.query)
        options.show(answer, "deployments", none: "no deployments; penstock create --help") {
            Tables.deployments($0, at: secondsNow())
        }
        guard watch else { return }
        try await ChangeWatch(client: client, json: options.json).run(kinds: ["deployment"])
    }
}

struct DeploymentFilter: ParsableArguments {
    @Option(help: "Only with one of these words, by commas: healthy, degraded, failed, …")
    var status: String?

    @Option(help: "Only of these environments, by commas.")
    var environment: String?

    @Option(help: "Only of this model.")
    var model: String?

    @Flag(inversion: .prefixedNo, help: "Only those that are up or on the way, or only others.")
    var active: Bool?

    @Option(help: "Any filter of the API, such as 'spec.owner:botany AND metadata.generation>3'.")
    var filter: String?

    var query: [(String, String?)] {
        [
            ("status", status), ("environment", environment), ("model", model),
            ("active", active.map { $0 ? "true" : "false" }), ("filter", filter),
        ]
    }
}

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is wanted of a deployment, or list things of a kind.",
        usage: """
            penstock get iris                     # its fields, as YAML that 'apply' takes
            penstock get iris resources.memory    # one field, for scripts
            penstock get iris --all --json
            penstock get deployments              # also services, models, nodes, operations, …
            """,
        discussion: "Only fields that differ from their default are shown, unless --all. What is "
            + "so, rather than wanted, is told by 'penstock status'.")

    @Argument(help: "A deployment, or a kind in the plural.", completion: .deployments)
    var name: String

    @Argument(help: "A field; only its value is printed.")
    var field: String?

    @Flag(help: "Show fields that have their default, too.")
    var all = false

    @OptionGroup var options: ReadOptions

    func run() async throws {
        if field == nil, let kind = Kind(rawValue: name) { return try await kind.list(options) }
        let client = try options.admin.client()
        let view = try await client.get(Change.path(name))
        if let field { return try show(field, of: view) }
        options.show(view) { YAMLText.text(SpecText.document($0, withDefaults: all)).trimmedEnd }
    }

    private func show(_ field: String, of view: JSONValue) throws {
        let found = FieldGuide.find(field)
        let path = found.count == 1 ? found[0].path : field.split(separator: ".").map(String.init)
        guard let value = view["spec"]?[path: path] ?? view[path: path] else {
            guard found.count == 1 else {
                throw Failure(
                    .notFound, "'\(name)' has no '\(field)'; penstock explain lists fields")
            }
            return Terminal.print(options.json ? "null" : "")
        }
        Terminal.print(options.json ? value.pretty.trimmedEnd : value.text ?? value.compact)
    }

    /// Kinds of things that are listed by their plural.
    enum Kind: String, CaseIterable {
        case deployments, services, models, nodes, operations, tokens, events

        func list(_ options: ReadOptions) async throws {
            let client = try options.admin.client()
            let now = secondsNow()
            let answer =
                self == .services
                ? try await client.get("/v1/services")
                : try await client.list(
                    "/v1/\(rawValue)", rawValue, atMost: self == .events ? 100 : nil)
            options.show(answer, rawValue, none: "no \(rawValue)") { items in
                switch self {
                case .deployments: Tables.deployments(items, at: now)
                case .services: ServiceView.rows(items.map(ServiceView.init))
                case .models: Tables.models(items)
                case .nodes: Tables.nodes(items)
                case .operations: Tables.operations(items, at: now)
                case .tokens: Tables.tokens(items, at: now)
                case .events: Tables.events(items, at: now)
                }
            }
        }
    }
}
