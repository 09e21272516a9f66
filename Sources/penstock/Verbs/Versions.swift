// What makes a revision: another version of the model, an old revision again, or the present one
// with other settings.

import ArgumentParser
import Console
import Foundation
import Notation

struct Update: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change the model's version.",
        usage: """
            penstock update iris --version v2
            penstock update iris --version v2 --artifact iris-v2.json --reason 'release 14'
            penstock update iris --version v2 --dry-run
            """)

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: "The version to change to.")
    var version: String

    @Option(help: "Its files, if the version is not registered yet.", completion: .file())
    var artifact: String?

    @Option(help: "How replicas are replaced, this time: rolling, blue_green or canary.")
    var strategy: String?

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let client = try options.admin.client()
        let body = JSONValue.object([
            "version": .string(version), "artifact": artifact.map(JSONValue.string),
            "strategy": Strategy.member(strategy), "reason": reason.member,
        ])
        try await Change(
            client: client, options: options, name: name, path: Change.path(name) + ":updateModel",
            body: body.withAbsolutePaths(isLocal: client.isLocal),
            done: "\(name): runs \(version) already"
        ).run()
    }
}

struct Redeploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the content of a revision again, as a new revision.",
        usage: """
            penstock redeploy iris
            penstock redeploy iris --revision 3 --memory 2GiB
            """)

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: "Whose content; the present one without it.")
    var revision: Int?

    @OptionGroup var fields: FieldOptions
    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        let patch = try fields.document()
        try await Change.act(
            "redeploy", on: name, options,
            .object([
                "revision": revision.map { .count($0) },
                "patch": patch.members?.isEmpty == false ? patch : nil, "reason": reason.member,
            ]), done: "\(name): deployed again")
    }
}

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go back to a revision; never changes how many replicas run.",
        usage: """
            penstock rollback iris
            penstock rollback iris --to 3 --reason 'v2 is slow'
            """,
        discussion: "Without --to it goes to the last revision that ran well before this one. What "
            + "there is: penstock revisions iris.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: "The revision's number.")
    var to: Int?

    @Option(help: "How replicas are replaced, this time: rolling, blue_green or canary.")
    var strategy: String?

    @OptionGroup var reason: ReasonOption
    @OptionGroup var options: ChangeOptions

    func run() async throws {
        try await Change.act(
            "rollback", on: name, options,
            .object([
                "to": to.map { .count($0) }, "strategy": Strategy.member(strategy),
                "reason": reason.member,
            ]), done: "\(name): back already")
    }
}

enum Strategy {
    static func member(_ word: String?) -> JSONValue? {
        word.map { .object(["type": .string($0)]) }
    }
}
