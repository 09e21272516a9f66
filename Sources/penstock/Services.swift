// `penstock services`: one line for each service.

import ArgumentParser
import Foundation

struct Services: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the services of a running gateway.",
        usage: """
            penstock services
            penstock services --json --server http://127.0.0.1:9090
            """)

    @OptionGroup var admin: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let answer = try await admin.client().send(.get, "/v1/services")
        if json {
            Terminal.document(answer)
            return
        }
        Terminal.print(ServiceView.table(ServiceView.all(in: answer)))
    }
}
