// `penstock revisions` and `penstock diff`: what a deployment has run, and what was different.

import ArgumentParser
import Console
import Foundation
import Notation

struct Revisions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what a deployment has run: who changed it, when and why.",
        usage: """
            penstock revisions iris
            penstock revisions iris 3 --json
            """, aliases: ["history"])

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "One revision, with its content.")
    var number: Int?

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        let path = Change.path(name) + "/revisions"
        if let number {
            let revision = try await client.get("\(path)/\(number)")
            return options.show(revision) { YAMLText.text($0).trimmedEnd }
        }
        let answer = try await client.list(path, "revisions")
        options.show(answer, "revisions", none: "no revisions") {
            Tables.revisions($0, at: secondsNow())
        }
    }
}

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what is different between two revisions.",
        usage: """
            penstock diff iris            # the one before, and the present one
            penstock diff iris 3          # revision 3 and the present one
            penstock diff iris 3 5
            """)

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Argument(help: "The older revision.")
    var from: Int?

    @Argument(help: "The newer one; the present one without it.")
    var to: Int?

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        let path = Change.path(name) + "/revisions"
        var older = from
        if older == nil {
            let all = try await client.list(path, "revisions")["revisions"]?.list ?? []
            let current = all.first { $0["current"]?.boolean == true }?["number"]?.whole
            let before = all.compactMap { $0["number"]?.whole }.filter { $0 < current ?? .max }
            older = before.max().map(Int.init)
        }
        guard let older else {
            throw Failure(.notFound, "'\(name)' has only one revision; there is nothing to compare")
        }
        let answer = try await client.get("\(path)/\(older):diff", [("with", to.map(String.init))])
        options.show(answer) { answer in
            let list = answer["differences"]?.list ?? []
            let title = "\(name): r\(older) → r\(Words.number(answer["to"]))"
            if list.isEmpty { return "\(title): no difference" }
            let lines = PlanText.differences(list, Terminal.paint)
            return ([Terminal.paint(title, .bold)] + lines).joined(separator: "\n")
        }
    }
}
