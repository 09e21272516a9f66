// `penstock traffic`: the whole split of a service, in one step. The sum is checked before anything
// is sent; numbers travel as they were typed.

import ArgumentParser
import Foundation
import Notation

struct ShiftTraffic: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "traffic",
        abstract: "Show or replace how a service's requests are split between revisions.",
        usage: """
            penstock traffic iris
            penstock traffic iris stable=90 canary=10
            penstock traffic iris --clear
            """,
        discussion: "Shares are percent in steps of 0.1 and sum to 100. A split set here survives "
            + "restarts and wins over the file until the file's own changes, or --clear.")

    @Argument(help: "The service.")
    var service: String

    @Argument(help: "REVISION=PERCENT, once for each revision.")
    var shares: [String] = []

    @Flag(help: "Go back to the split of the file.")
    var clear = false

    @OptionGroup var trial: DryRunOption
    @OptionGroup var admin: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if clear, !shares.isEmpty { throw ValidationError("give shares or --clear, not both") }
        _ = try body()
    }

    func run() async throws {
        let client = try admin.client()
        let path = "/v1/services/\(AdminClient.segment(service))/traffic"
        if clear {
            let answer = try await client.exchange(.delete, path, trial.query).body
            let words = trial.told("back", or: "would be back")
            show(answer, "\(service): \(words) to the split of the file")
        } else if shares.isEmpty {
            let answer = try await client.send(.get, path)
            show(answer, ServiceView.split(in: answer))
        } else {
            let answer = try await client.exchange(.put, path, trial.query, body: body()).body
            if trial.dryRun {
                return show(answer, "\(service): would be \(shares.joined(separator: " "))")
            }
            let generation = JSONValue(answer)?["generation"]?.number
            let since = generation.map { ", generation \(Int($0))" } ?? ""
            show(
                answer,
                "\(service): \(shares.joined(separator: " ")), in force on every worker\(since)")
        }
    }

    private func show(_ answer: Data, _ words: String) {
        if json {
            Terminal.document(answer)
        } else {
            Terminal.print(words)
        }
    }

    /// The split as JSON, its numbers as they were typed.
    private func body() throws -> String {
        var tenths = 0
        var members: [String: String] = [:]
        for share in shares {
            let parts = share.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let amount = Self.tenths(parts[1]) else {
                throw ValidationError(
                    "'\(share)' is no share; write REVISION=PERCENT, such as canary=10 or "
                        + "canary=0.5")
            }
            guard members.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError("'\(parts[0])' stands twice")
            }
            tenths += amount
        }
        guard shares.isEmpty || tenths == 1000 else {
            throw ValidationError(
                "the shares sum to \(tenths / 10).\(tenths % 10); they must sum to 100")
        }
        let pairs = try members.sorted { $0.key < $1.key }.map { name, percent in
            String(decoding: try JSONEncoder().encode(name), as: UTF8.self) + ": " + percent
        }
        return "{\(pairs.joined(separator: ", "))}"
    }

    private static func tenths(_ text: String) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy {
            !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber }
        }
        guard isPlain, parts.count == 1 || (parts.count == 2 && parts[1].count == 1),
            let number = Double(text), number <= 100
        else { return nil }
        return Int((number * 10).rounded())
    }
}
