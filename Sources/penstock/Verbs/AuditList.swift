// `penstock audit list`: who did what, asked of the running gateway.

import ArgumentParser
import Console
import Foundation
import Notation

struct AuditList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List who did what, newest first.",
        usage: """
            penstock audit list
            penstock audit list --name iris --since 24h
            penstock audit list --actor token:01M7YTYCEP5JXR7XKCS52RRSFH --action deployment.
            """)

    @Option(help: "Only about this deployment, or about the thing of this name and --kind.")
    var name: String?

    @Option(help: "Only about things of this kind: deployment, operation, token, service, …")
    var kind: String?

    @Option(help: "Only by this actor.")
    var actor: String?

    @Option(help: "Only actions that begin with it: deployment.scale")
    var action: String?

    @Option(help: "Not before: 24h, or a moment such as 2026-01-31T09:30:00Z.")
    var since: String?

    @Option(help: "Before then, written the same way.")
    var before: String?

    @Option(help: "How many.")
    var limit = 100

    @OptionGroup var options: ReadOptions

    func validate() throws {
        for text in [since, before].compactMap(\.self) where Moments.text(text) == nil {
            throw ValidationError("'\(text)' is no time; write 24h or 2026-01-31T09:30:00Z")
        }
    }

    func run() async throws {
        let client = try options.admin.client()
        let answer = try await client.list(
            "/v1/audit", "entries",
            [
                ("name", name), ("kind", kind ?? name.map { _ in "deployment" }),
                ("actor", actor), ("action", action),
                ("since", since.flatMap(Moments.text)), ("before", before.flatMap(Moments.text)),
            ], atMost: limit)
        options.show(answer, "entries", none: "nothing was done", Tables.audit)
    }
}
