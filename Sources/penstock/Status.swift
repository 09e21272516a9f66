// `penstock status`: a service as a tree, with what each replica is doing now.

import ArgumentParser
import Foundation
import Notation

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show services, revisions and endpoints: health, load, latencies.",
        usage: """
            penstock status
            penstock status iris
            penstock status iris --json
            """)

    @Argument(help: "One service (default: all).")
    var service: String?

    @OptionGroup var admin: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let client = try admin.client()
        if json {
            let path = service.map { "/v1/services/\(AdminClient.segment($0))" } ?? "/v1/services"
            Terminal.document(try await client.send(.get, path))
            return
        }
        var names = service.map { [$0] } ?? []
        if service == nil {
            let all = try await client.send(.get, "/v1/services")
            names = ServiceView.all(in: all).map(\.name)
            if names.isEmpty { Terminal.print("no services") }
        }
        for name in names {
            let path = "/v1/services/\(AdminClient.segment(name))"
            let answer = try await client.send(.get, path)
            guard let value = JSONValue(answer) else {
                throw Failure(.error, "\(client.server) answered something that is no JSON")
            }
            let stats = JSONValue(try await client.send(.get, path + "/stats"))
            Terminal.print(ServiceView(value).tree(stats))
        }
    }
}
