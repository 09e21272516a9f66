// `penstock operations`: work that takes time, seen, waited for, ended early.
// They go on whether or not anybody waits.

import ArgumentParser
import Console
import Foundation
import Notation

struct Operations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, wait for or cancel changes that take time.",
        usage: """
            penstock operations
            penstock operations list iris
            penstock operations wait 01M7YTYF8P761Q54DJ9AHMHDTA --timeout 5m
            penstock operations cancel 01M7YTYF8P761Q54DJ9AHMHDTA
            """,
        subcommands: [All.self, One.self, Wait.self, Cancel.self], defaultSubcommand: All.self,
        aliases: ["ops"])

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List operations, those at work and those of late.",
            usage: "penstock operations list iris")

        @Argument(help: "Only on this deployment.", completion: .deployments)
        var deployment: String?

        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            // Ids begin with their time.
            let answer = try await client.list(
                "/v1/operations", "operations",
                [("deployment", deployment), ("orderBy", "created_at desc")], atMost: 100)
            options.show(answer, "operations", none: "no operations") {
                Tables.operations($0, at: secondsNow())
            }
        }
    }

    struct One: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "get", abstract: "Show one operation.",
            usage: "penstock operations get 01M7YTYF8P761Q54DJ9AHMHDTA")

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let operation = try await client.get("/v1/operations/\(AdminClient.segment(id))")
            options.show(operation) { YAMLText.text($0).trimmedEnd }
        }
    }

    struct Wait: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wait until an operation ends; exit 0 only if it has succeeded.",
            usage: "penstock operations wait 01M7YTYF8P761Q54DJ9AHMHDTA --timeout 5m")

        @Argument(help: "Its id.")
        var id: String

        @Option(help: "How long to wait; then exit 6.")
        var timeout = TimeSpan(seconds: 600)

        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let operation = try await client.get("/v1/operations/\(AdminClient.segment(id))")
            try await OperationFollower(client: client).follow(
                operation, timeout: timeout.duration, json: options.json)
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an operation early; what it has replaced is put back.",
            usage: "penstock operations cancel 01M7YTYF8P761Q54DJ9AHMHDTA")

        @Argument(help: "Its id.")
        var id: String

        @OptionGroup var reason: ReasonOption
        @OptionGroup var trial: DryRunOption
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let answer = try await client.change(
                .post, "/v1/operations/\(AdminClient.segment(id)):cancel", trial.query,
                body: .object(["reason": reason.member]))
            options.show(answer.json) { operation in
                let state = operation["state"]?.text ?? "?"
                return state == "cancelled"
                    ? "\(OperationText.title(operation)): "
                        + trial.told("cancelled", or: "would be cancelled")
                    : "\(OperationText.title(operation)): had ended before (\(state))"
            }
        }
    }
}
