// `penstock logs`: what replicas say, of all of them in the order of time, also of runs that are
// over; with -f as it comes, also of replicas that come later.

import ArgumentParser
import Console
import Foundation
import Notation

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the replicas of a deployment print.",
        usage: """
            penstock logs iris -f
            penstock logs iris --since 10m
            penstock logs iris --replica iris-2 --previous
            penstock logs iris --replica iris-2 --run 3 --tail 500
            """,
        discussion: "Output of replicas is kept across restarts and exits. Lines of standard error "
            + "are red; lines with a dot are Penstock's own. On a terminal, what would steer it is "
            + "shown as an escape; in a pipe or a file everything is as it was said.")

    @Argument(help: "The deployment.", completion: .deployments)
    var name: String

    @Option(help: "Only this replica, also one that is gone.")
    var replica: String?

    @Flag(name: .shortAndLong, help: "Go on and print what comes, until Ctrl-C.")
    var follow = false

    @Option(help: "The last so many lines of each replica; 0 is all that is kept.")
    var tail: Int?

    @Option(help: "Only lines since then: 10m, 2h, or a moment such as 2026-01-31T09:30:00Z.")
    var since: String?

    @Option(help: "Only lines before then, written the same way.")
    var until: String?

    @Flag(help: "The run before the present one.")
    var previous = false

    @Option(help: "A run by its number.")
    var run: Int?

    @Flag(help: "Show when each line was said.")
    var timestamps = false

    @OptionGroup var options: ReadOptions

    func validate() throws {
        if follow, until != nil || previous || run != nil {
            throw ValidationError("-f goes with the present run only")
        }
        if previous, run != nil { throw ValidationError("give --previous or --run, not both") }
        if tail != nil, since != nil { throw ValidationError("give --tail or --since, not both") }
        for text in [since, until].compactMap(\.self) where Moments.text(text) == nil {
            throw ValidationError("'\(text)' is no time; write 10m, 2h or 2026-01-31T09:30:00Z")
        }
    }

    func run() async throws {
        let client = try options.admin.client()
        let source = LogSource(client: client, name: name)
        var names = replica.map { [$0] } ?? []
        if replica == nil { names = try await source.replicas() }
        if names.isEmpty, !follow { return Terminal.error("'\(name)' has no replicas") }
        let text = LogText(
            showsReplica: names.count > 1 || follow && replica == nil, showsTime: timestamps,
            isForTerminal: Terminal.isTerminal, paint: Terminal.paint)
        if follow {
            Terminal.endWithReader()
            return try await LogFollower(source: source, text: text, json: options.json).run(
                names, only: replica != nil, query: query)
        }
        var lines: [LogSource.Line] = []
        for name in names {
            lines += try await source.lines(of: name, query, isOnly: names.count == 1)
        }
        let end = until.flatMap(Moments.text)
        let shown = lines.filter { line in end.map { line.time < $0 } ?? true }
            .sorted { $0.time < $1.time }
        for line in shown { LogSource.show(line, text, options.json) }
    }

    private var query: [(String, String?)] {
        let run = run.map(String.init) ?? (previous ? "previous" : nil)
        if let since { return [("run", run), ("since", Moments.text(since))] }
        let lines = tail ?? 100
        return [("run", run), ("tail", lines > 0 ? "\(min(lines, 10_000))" : nil)]
    }
}

/// Moments as options take them.
enum Moments {
    /// RFC 3339 in UTC: of a time ago, or as it was given.
    static func text(_ text: String) -> String? {
        if Words.seconds(of: text) != nil { return text }
        guard let span = TimeSpan(argument: text) else { return nil }
        let milliseconds = (Date().timeIntervalSince1970 - span.seconds) * 1000
        return Timestamp.text(milliseconds: Int64(milliseconds))
    }
}

struct LogSource: Sendable {
    let client: AdminClient
    let name: String

    struct Line: Sendable {
        var replica: String
        var value: JSONValue

        var time: String { value["time"]?.text ?? "" }
    }

    func replicas() async throws -> [String] {
        let answer = try await client.list(Change.path(name) + "/replicas", "replicas")
        return (answer["replicas"]?.list ?? []).filter { $0["state"]?.text != "exited" }
            .compactMap { $0["name"]?.text }
    }

    func path(_ replica: String) -> String {
        Change.path(name) + "/replicas/\(AdminClient.segment(replica))/logs"
    }

    /// Page after page. A replica among several that has said nothing yet is no fault.
    func lines(
        of replica: String, _ query: [(String, String?)], isOnly: Bool
    ) async throws -> [Line] {
        var lines: [Line] = []
        var next = query
        while true {
            let page: JSONValue
            do {
                page = try await client.get(path(replica), next)
            } catch let failure as Failure where failure.code == .notFound && !isOnly {
                return []
            }
            lines += (page["lines"]?.list ?? []).map { Line(replica: replica, value: $0) }
            if page["complete"]?.boolean != false { return lines }
            next = [
                ("run", page["run"]?.whole.map { "\($0)" }),
                ("offset", page["next"]?.whole.map { "\($0)" }),
            ]
        }
    }

    static func show(_ line: Line, _ text: LogText, _ json: Bool) {
        if json {
            let named = JSONValue.object(["replica": .string(line.replica)]).merging(line.value)
            return Terminal.print(named.compact)
        }
        Terminal.print(text.line(line.value, of: line.replica))
    }
}

/// Follows every replica there is, and those that come.
struct LogFollower {
    let source: LogSource
    let text: LogText
    let json: Bool
    /// How soon a new replica or run is noticed.
    private static let pause = Duration.seconds(1)

    func run(_ names: [String], only: Bool, query: [(String, String?)]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var followed = Set<String>()
            for name in names where followed.insert(name).inserted {
                group.addTask { try await follow(name, query) }
            }
            while true {
                try await Task.sleep(for: Self.pause)
                guard !only else { continue }
                for name in try await source.replicas() where followed.insert(name).inserted {
                    group.addTask { try await follow(name, []) }
                }
            }
        }
    }

    /// Run after run; ends when the replica is gone.
    private func follow(_ replica: String, _ first: [(String, String?)]) async throws {
        var query = first
        while true {
            do {
                try await source.client.follow(
                    source.path(replica), query + [("follow", "true")]
                ) { event in
                    if event.name == "end" { return false }
                    LogSource.show(.init(replica: replica, value: event.json), text, json)
                    return true
                }
                query = []
            } catch let failure as Failure where failure.code == .notFound {
                guard try await source.replicas().contains(replica) else { return }
            } catch let failure as Failure where failure.mayBeRepeated {
                query = [("tail", "1")]
            }
            try await Task.sleep(for: Self.pause)
        }
    }
}
