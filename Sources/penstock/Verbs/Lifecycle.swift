// What is done to a deployment as a whole: scale, stop, start, restart. Each is one request and,
// unless told otherwise, waits for its end.

import ArgumentParser
import Console
import Foundation
import Notation

struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Set the number of replicas by hand.",
        usage: """
            penstock scale iris 6
            penstock scale iris 6 --for 2h --reason sale
            penstock scale iris --auto
            """,
        discussion: "The number holds over the scaling settings until --for is over, or --auto "
            + "gives it back to them. To change the settings: penstock set iris min_replicas=2.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "How many.")
    var replicas: Int?

    @Flag(help: "Give the number back to the scaling settings.")
    var auto = false

    @Option(name: .customLong("for"), help: "For so long, such as 2h; for good without it.")
    var lasting: TimeSpan?

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func validate() throws {
        if (replicas == nil) != auto {
            throw ValidationError("say how many replicas, or --auto, and not both")
        }
    }

    func run() async throws {
        let word = replicas.map { Words.count($0, "replica") } ?? "the scaling settings' number"
        try await Change.act(
            "scale", on: name, options,
            .object([
                "replicas": replicas.map { .count($0) }, "automatic": auto ? true : nil,
                "for": lasting.map { .string($0.text) }, "reason": reason.member,
            ]), done: "\(name): \(word), as it was")
    }
}

struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End all replicas; clients get 503 and the message.",
        usage: """
            penstock stop iris
            penstock stop iris --message 'back at noon' --reason 'new disks'
            """)

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: "What clients are told.")
    var message: String?

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Change.act(
            "stop", on: name, options,
            .object(["message": message.map(JSONValue.string), "reason": reason.member]),
            done: "\(name): stopped already")
    }
}

struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start what was stopped or has failed, as it was.",
        usage: "penstock start iris")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Change.act(
            "start", on: name, options, .object(["reason": reason.member]),
            done: "\(name): started already")
    }
}

struct Restart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace all replicas without an outage; no revision is made.",
        usage: "penstock restart iris --reason 'leaks memory'")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Change.act(
            "restart", on: name, options, .object(["reason": reason.member]),
            done: "\(name): restarted already")
    }
}

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete a deployment: its route goes at once, its replicas end.",
        usage: """
            penstock delete iris
            penstock delete iris --confirm iris
            """,
        discussion:
            "On a terminal the name is asked for; elsewhere --confirm NAME says it is meant. "
            + "Its history and audit trail stay. 'penstock get iris > iris.yaml' before makes it "
            + "easy to create it again.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: ArgumentHelp("The name again: it is meant.", valueName: "name"))
    var confirm: String?

    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let client = try options.admin.client()
        let view = try await client.get(Change.path(name))
        if !options.dryRun { try Confirmation.ask(for: name, given: confirm, Self.stakes(view)) }
        let version = view[path: ["metadata", "resource_version"]]?.text
        try await Change(
            client: client, options: options, name: name, verb: .delete, path: Change.path(name),
            version: version.map { "\"\($0)\"" } ?? "*", done: "\(name): deleted"
        ).run()
    }

    private static func stakes(_ view: JSONValue) -> String {
        let ready = view[path: ["status", "replicas", "ready"]]?.whole ?? 0
        let place = view[path: ["spec", "environment"]]?.text ?? "?"
        return "it runs in \(place) with \(Words.count(Int(ready), "ready replica"))"
    }
}

/// What cannot be undone is meant twice.
enum Confirmation {
    static func ask(for name: String, given: String?, _ stakes: String) throws {
        if let given {
            guard given == name else {
                throw Failure(.usage, "--confirm says '\(given)', not '\(name)'; nothing was done")
            }
            return
        }
        guard Terminal.canAsk else {
            throw Failure(.usage, "to delete '\(name)' (\(stakes)), add --confirm \(name)")
        }
        Terminal.errorInPlace("delete '\(name)'? \(stakes). Type its name to go on: ")
        guard readLine() == name else {
            throw Failure(.error, "that is not its name; nothing was done")
        }
    }
}
