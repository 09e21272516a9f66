// `penstock models`: what can be deployed; registered once, verified when asked, deployed by name.
// Nothing of a version ever changes, so nothing here edits one.

import ArgumentParser
import Console
import Foundation
import Notation

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, register, verify and deploy models and their versions.",
        usage: """
            penstock models
            penstock models versions iris
            penstock models register iris v2 --artifact iris-v2.json
            penstock models deploy iris v2 --to staging --cpu 1 --memory 512MiB -- server {address}
            """,
        subcommands: [
            All.self, Versions.self, Show.self, Register.self, Verify.self, Deploy.self,
            Forget.self,
        ], defaultSubcommand: All.self)

    static func path(_ model: String) -> String { "/v1/models/\(AdminClient.segment(model))" }

    static func path(_ model: String, _ version: String) -> String {
        path(model) + "/versions/\(AdminClient.segment(version))"
    }

    struct All: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List models.", usage: "penstock models list")
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            options.show(
                try await client.list("/v1/models", "models"), "models",
                none: "no models; penstock models register --help", Tables.models)
        }
    }

    struct Versions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a model's versions, newest first.",
            usage: "penstock models versions iris")
        @Argument(help: "The model.") var model: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let answer = try await client.list(Models.path(model) + "/versions", "versions")
            options.show(answer, "versions", none: "no versions") {
                Tables.versions($0, at: secondsNow())
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one version.", usage: "penstock models show iris v2")
        @OptionGroup var version: VersionArguments
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            options.show(try await client.get(version.path)) { YAMLText.text($0).trimmedEnd }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a version's files again and compare their digest.",
            usage: "penstock models verify iris v2",
            discussion: "Exit 8 when they are not what was registered.")
        @OptionGroup var version: VersionArguments
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let answer = try await client.exchange(.post, version.path + ":verify").json
            options.show(answer) { answer in
                let digest = answer["sha256"]?.text.map { ": sha256 \($0)" } ?? ""
                return "\(version.model) \(version.version): as registered\(digest)"
            }
        }
    }

    struct Forget: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Forget a version that nothing uses; its files stay.",
            usage: "penstock models delete iris v1")
        @OptionGroup var version: VersionArguments
        @OptionGroup var trial: DryRunOption
        @OptionGroup(title: "Where the gateway is") var admin: ServerOptions

        func run() async throws {
            _ = try await admin.client().change(.delete, version.path, trial.query)
            Terminal.print(
                "\(version.model) \(version.version): "
                    + trial.told("forgotten", or: "would be forgotten") + "; its files stay")
        }
    }
}

struct VersionArguments: ParsableArguments {
    @Argument(help: "The model.") var model: String
    @Argument(help: "The version.") var version: String

    var path: String { Models.path(model, version) }
}
