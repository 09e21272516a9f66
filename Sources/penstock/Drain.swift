// `penstock drain` and `undrain`: one endpoint out of the rotation, and back.

import ArgumentParser
import Foundation

struct Drain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give an endpoint no new requests; those under way end well.",
        usage: "penstock drain echo 127.0.0.1:9001")

    @OptionGroup var endpoint: EndpointArguments

    func run() async throws {
        try await endpoint.send("drain")
        let words = endpoint.trial.told("drained; it takes", or: "would be drained; it would take")
        Terminal.print("\(endpoint.address): \(words) no new requests")
    }
}

struct Undrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give a drained endpoint requests again.",
        usage: "penstock undrain echo 127.0.0.1:9001")

    @OptionGroup var endpoint: EndpointArguments

    func run() async throws {
        try await endpoint.send("undrain")
        let words = endpoint.trial.told("takes", or: "would take")
        Terminal.print("\(endpoint.address): \(words) requests again")
    }
}

struct EndpointArguments: ParsableArguments {
    @Argument(help: "The service.")
    var service: String

    @Argument(help: "The endpoint's address, as `penstock status` shows it.")
    var address: String

    @OptionGroup var trial: DryRunOption
    @OptionGroup var admin: ServerOptions

    func send(_ verb: String) async throws {
        let path =
            "/v1/services/\(AdminClient.segment(service))/endpoints/"
            + "\(AdminClient.segment(address)):\(verb)"
        _ = try await admin.client().exchange(.post, path, trial.query)
    }
}
