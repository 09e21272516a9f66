// What puts a version into the registry, and what takes it into service.
// Paths mean the same to the gateway only when it is on this host.

import ArgumentParser
import Console
import Foundation
import Notation

extension Models {
    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a version: its digest is taken now and verified before each start.",
            usage: """
                penstock models register iris v2 --artifact iris-v2.json
                penstock models register iris v2 --artifact /srv/iris/v2 --sha256 301005fe… \\
                    --description 'trained on Tuesday' --default instance_type=cpu.standard
                """)

        @OptionGroup var version: VersionArguments

        @Option(help: "Its file or directory, on the gateway's host.", completion: .file())
        var artifact: String?

        @Option(help: "What the digest must be.")
        var sha256: String?

        @Option(help: "What is new.")
        var description: String?

        @Option(
            name: .customLong("default"),
            help: ArgumentHelp(
                "A field this version suggests to its deployments.", valueName: "field=value"))
        var defaults: [String] = []

        @OptionGroup var trial: DryRunOption
        @OptionGroup var options: ReadOptions

        func run() async throws {
            let client = try options.admin.client()
            let edits = try FieldOptions.document(defaults)
            let body = JSONValue.object([
                "version": .string(version.version), "artifact": artifact.map(JSONValue.string),
                "sha256": sha256.map(JSONValue.string),
                "description": description.map(JSONValue.string),
                "defaults": defaults.isEmpty ? nil : edits,
            ])
            let answer = try await client.change(
                .post, Models.path(version.model) + "/versions", trial.query,
                body: body.withAbsolutePaths(isLocal: client.isLocal))
            options.show(answer.json) { value in
                let digest =
                    value[path: ["artifact", "sha256"]]?.text.map { ", sha256 \($0)" } ?? ""
                let word =
                    trial.dryRun
                    ? "would be registered, or is, the same"
                    : answer.status == 201 ? "registered" : "was registered before, the same"
                return "\(version.model) \(version.version): \(word)\(digest)"
            }
        }
    }

    struct Deploy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deploy a version: create its deployment, or update the one there is.",
            usage: """
                penstock models deploy iris v2 --to staging
                penstock models deploy iris v2 --to staging --name flowers --cpu 1 \\
                    --memory 512MiB -- penstock-model --artifact {artifact} --listen {address}
                """,
            discussion: "Fields count for a deployment that is created; what the version suggests "
                + "holds without them. Without --name it is called MODEL-ENVIRONMENT.")

        @OptionGroup var version: VersionArguments

        @Option(help: "development, staging or production.")
        var to: String

        @Option(help: "The deployment's name.")
        var name: String?

        @OptionGroup var fields: FieldOptions

        @Argument(parsing: .postTerminator, help: "The command, behind --.")
        var command: [String] = []

        @OptionGroup var reason: ReasonOption
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            let client = try options.admin.client()
            var settings = try fields.document()
            if !command.isEmpty { settings = settings.setting("command", to: .texts(command)) }
            let title = name ?? "\(version.model)-\(to)"
            try await Change(
                client: client, options: options, name: title, path: version.path + ":deploy",
                body: .object([
                    "environment": .string(to), "name": name.map(JSONValue.string),
                    "deployment": settings.members?.isEmpty == false ? settings : nil,
                    "reason": reason.member,
                ]), tellsWarnings: true, done: "\(title): runs \(version.version) already"
            ).run()
        }
    }
}
