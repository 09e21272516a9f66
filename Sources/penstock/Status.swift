// `penstock status`: a deployment as a tree down to its replicas, a service down to its endpoints;
// without a name, everything there is.

import ArgumentParser
import Console
import Foundation
import Notation

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how deployments and services are: health, load, latencies.",
        usage: """
            penstock status
            penstock status iris
            penstock status iris --watch
            penstock status iris --json
            """,
        discussion: "Figures are of the last minute. What is wanted, rather than so, is told by "
            + "'penstock get'; why something is not well, by 'penstock why'.",
        aliases: ["describe"])

    @Argument(help: "One deployment or service (default: all).", completion: .deployments)
    var name: String?

    @Flag(name: .shortAndLong, help: "Draw it again every second, until Ctrl-C.")
    var watch = false

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        guard watch else { return try await show(client) }
        Terminal.endWithReader()
        while true {
            if Terminal.isLive { Terminal.clear() }
            try await show(client)
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func show(_ client: AdminClient) async throws {
        guard let name else { return try await showAll(client) }
        guard let deployment = try await client.find(Change.path(name)) else {
            return try await showService(name, client)
        }
        if options.json { return Terminal.print(deployment.pretty.trimmedEnd) }
        Terminal.print(try await tree(deployment, name, client))
    }

    private func tree(
        _ deployment: JSONValue, _ name: String, _ client: AdminClient
    ) async throws -> String {
        let replicas = try await client.list(Change.path(name) + "/replicas", "replicas")
        let operations = try await client.list(
            "/v1/operations", "operations",
            [("deployment", name), ("orderBy", "created_at desc")], atMost: 1)
        let stats = try await client.find("/v1/services/\(AdminClient.segment(name))/stats")
        return StatusTree(
            deployment: deployment, replicas: replicas["replicas"]?.list ?? [],
            operation: operations["operations"]?.list.first, stats: stats, now: secondsNow()
        ).text(Terminal.paint, width: Terminal.width)
    }

    private func showService(_ name: String, _ client: AdminClient) async throws {
        let path = "/v1/services/\(AdminClient.segment(name))"
        do {
            let value = try await client.get(path)
            if options.json { return Terminal.print(value.pretty.trimmedEnd) }
            let stats = try await client.get(path + "/stats")
            Terminal.print(ServiceView(value).tree(stats))
        } catch let failure as Failure where failure.code == .notFound {
            throw Failure(
                .notFound,
                "there is no deployment or service '\(name)'; penstock status lists all")
        }
    }

    /// Deployments in a table, then the services that are none.
    private func showAll(_ client: AdminClient) async throws {
        let services = ServiceView.all(in: try await client.send(.get, "/v1/services"))
        let answer = try await client.list("/v1/deployments", "deployments")
        let deployments = answer["deployments"]?.list ?? []
        if options.json {
            let all = JSONValue.object([
                "deployments": .array(deployments), "services": .array(services.map(\.value)),
            ])
            return Terminal.print(all.pretty.trimmedEnd)
        }
        var blocks: [String] = []
        if !deployments.isEmpty {
            blocks.append(
                Tables.deployments(deployments, at: secondsNow())
                    .text(Terminal.paint, width: Terminal.width))
        }
        for service in services where service.value["source"]?.text != "deployment" {
            let path = "/v1/services/\(AdminClient.segment(service.name))"
            guard let whole = try await client.find(path) else { continue }
            blocks.append(ServiceView(whole).tree(try await client.find(path + "/stats")))
        }
        Terminal.print(
            blocks.isEmpty
                ? "nothing is served yet; penstock create --help" : blocks.joined(separator: "\n\n")
        )
    }
}
