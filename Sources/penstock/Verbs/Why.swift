// `penstock why`: asks for everything that could explain a deployment's state, and tells it in the
// order in which a person would want it.

import ArgumentParser
import Console
import Foundation
import Notation

struct Why: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain what is wrong with a deployment, and what to do.",
        usage: "penstock why iris",
        discussion:
            "From its status and conditions, the last operation, how replicas ended and what "
            + "they said, and what has happened since. It reads only.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        let report = try await report(client)
        if options.json { return Terminal.print(report.json.pretty.trimmedEnd) }
        Terminal.print(report.text(Terminal.paint, width: Terminal.width))
    }

    private func report(_ client: AdminClient) async throws -> WhyReport {
        let path = Change.path(name)
        var report = WhyReport(deployment: try await client.get(path), now: secondsNow())
        async let replicas = client.list(path + "/replicas", "replicas")
        async let operations = client.list(
            "/v1/operations", "operations",
            [("deployment", name), ("orderBy", "created_at desc")], atMost: 10)
        async let dossiers = client.find(path + "/dossiers")
        async let events = client.list("/v1/events", "events", [("deployment", name)], atMost: 30)
        async let lint = client.find(path + ":lint")
        async let revisions = client.list(path + "/revisions", "revisions")
        report.replicas = try await replicas["replicas"]?.list ?? []
        report.operations = try await operations["operations"]?.list ?? []
        report.dossiers = try await dossiers?["dossiers"]?.list ?? []
        report.events = try await events["events"]?.list ?? []
        report.warnings = try await lint?["warnings"]?.list ?? []
        report.revisions = try await revisions["revisions"]?.list ?? []
        report.lastLines = await lastLines(report.replicas, client)
        return report
    }

    /// Of the first that waits for something.
    private func lastLines(
        _ replicas: [JSONValue], _ client: AdminClient
    ) async -> (replica: String, lines: [String])? {
        guard let replica = replicas.first(where: { $0["waiting_for"] != nil })?["name"]?.text
        else { return nil }
        let source = LogSource(client: client, name: name)
        // One that has said nothing has no output to read.
        let lines = try? await source.lines(of: replica, [("tail", "5")], isOnly: true)
        return lines.map { (replica, $0.compactMap { $0.value["text"]?.text }) }
    }
}
