// `penstock events` and `penstock watch`: what has happened, and what happens now.
// Both go on until they are ended, and take up a connection that broke.

import ArgumentParser
import Console
import Foundation
import Notation

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what has happened, newest last.",
        usage: """
            penstock events
            penstock events iris --warnings
            penstock events iris --watch
            """)

    @Argument(help: "Only about this deployment.", completion: .deployments)
    var name: String?

    @Flag(help: "Only warnings.")
    var warnings = false

    @Option(help: "How many.")
    var limit = 50

    @Flag(name: .shortAndLong, help: "Go on and print what happens.")
    var watch = false

    @OptionGroup var options: ReadOptions

    /// Events are looked for this often: they are no documents that a watch would tell of.
    private static let pause = Duration.seconds(1)

    func run() async throws {
        let client = try options.admin.client()
        if watch { Terminal.endWithReader() }
        var seen = try await show(try await events(client), after: nil)
        while watch {
            try await Task.sleep(for: Self.pause)
            seen = try await show(try await events(client), after: seen)
        }
    }

    private func events(_ client: AdminClient) async throws -> [JSONValue] {
        let query = [("deployment", name), ("type", warnings ? "Warning" : nil)]
        let answer = try await client.list("/v1/events", "events", query, atMost: limit)
        return answer["events"]?.list ?? []
    }

    /// - Returns: the mark up to which events have been told: an event that recurs is told again.
    private func show(_ events: [JSONValue], after mark: String?) async throws -> String {
        let new = events.filter { ($0["last_at"]?.text ?? "") > mark ?? "" }.reversed()
        if options.json, !watch {
            Terminal.print(
                JSONValue.object(["events": .array(Array(new))]).pretty.trimmedEnd)
        } else if options.json {
            for event in new { Terminal.print(event.compact) }
        } else if mark == nil {
            let table = Tables.events(Array(new), at: secondsNow())
            Terminal.print(
                new.isEmpty ? "no events" : table.text(Terminal.paint, width: Terminal.width))
        } else {
            for event in new { Terminal.print(line(event)) }
        }
        return max(mark ?? "", new.last?["last_at"]?.text ?? "")
    }

    private func line(_ event: JSONValue) -> String {
        let isWarning = event["type"]?.text == "Warning"
        return Terminal.paint(String(Words.clock(event["last_at"]).prefix(8)), .dim) + "  "
            + (event["name"]?.text ?? "") + "  "
            + Terminal.paint(event["reason"]?.text ?? "", isWarning ? .yellow : nil) + "  "
            + (event["message"]?.text ?? "")
    }
}

struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print changes of deployments, replicas and operations as they come.",
        usage: """
            penstock watch
            penstock watch iris --kinds replica,operation
            penstock watch --json --since 4711
            """,
        discussion: "Each line begins with the commit sequence; --since goes on after one, so "
            + "nothing is missed. A connection that breaks is taken up again by itself.")

    @Argument(help: "Only this deployment.", completion: .deployments)
    var name: String?

    @Option(help: "deployment, replica, operation, model_version, by commas.")
    var kinds = "deployment,replica,operation"

    @Option(help: "Begin after this commit.")
    var since: UInt64?

    @OptionGroup var options: ReadOptions

    func run() async throws {
        let client = try options.admin.client()
        try await ChangeWatch(client: client, json: options.json, name: name, since: since)
            .run(kinds: kinds.split(separator: ",").map(String.init))
    }
}

/// The stream of changes, a line each, until somebody ends it.
struct ChangeWatch {
    let client: AdminClient
    let json: Bool
    var name: String?
    var since: UInt64?

    func run(kinds: [String]) async throws {
        Terminal.endWithReader()
        var last = since.map(String.init)
        var retries = 0
        while true {
            do {
                try await client.follow(
                    "/v1/watch", [("kinds", kinds.joined(separator: ","))], lastEventID: last
                ) { event in
                    retries = 0
                    last = event.id ?? last
                    if !event.data.isEmpty { show(event.json) }
                    return true
                }
                // The server ends a stream when it closes: it may be back in a moment.
                throw Failure(.error, "the stream has ended", mayBeRepeated: true)
            } catch let failure as Failure where failure.code != .denied && retries < 5 {
                if failure.message.contains("list again") { throw failure }
                retries += 1
                try await Task.sleep(for: .seconds(retries))
            }
        }
    }

    private func show(_ change: JSONValue) {
        let object = change["object"] ?? .null
        let kind = change["kind"]?.text ?? "?"
        let own = change["name"]?.text ?? "?"
        let deployment =
            kind == "deployment"
            ? own : object["deployment"]?.text ?? String(own.prefix { $0 != "/" })
        guard name == nil || name == deployment else { return }
        if json { return Terminal.print(change.compact) }
        Terminal.print(
            Terminal.paint("\(Words.number(change["sequence"]))  ", .dim)
                + kind.padded(to: 10) + "  " + text(kind, own, change["change"]?.text, object))
    }

    private func text(_ kind: String, _ own: String, _ change: String?, _ object: JSONValue)
        -> String
    {
        guard object != .null else { return "\(own)  \(change ?? "changed")" }
        let paint = Terminal.paint
        switch kind {
        case "deployment":
            let word = object[path: ["status", "status"]]?.text ?? "?"
            return "\(own)  " + paint(word, .of(state: word)) + "  "
                + (object[path: ["status", "message"]]?.text ?? "")
        case "operation": return OperationText.step(object)
        case "replica":
            let word = object["state"]?.text ?? "?"
            let note =
                object["cause"]?.text ?? object["waiting_for"]?.text.map { "waits for \($0)" }
            return "\(object["name"]?.text ?? own)  " + paint(word, .of(state: word)) + "  "
                + (note ?? "")
        default: return "\(own)  \(change ?? "changed")"
        }
    }
}
