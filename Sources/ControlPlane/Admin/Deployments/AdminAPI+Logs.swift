// What replicas say: a range of their output as JSON or plain text, and as events while it comes;
// and how their runs have failed.

import Deployments
import Foundation
import Notation
import Replicas

extension AdminAPI {
    /// New lines are looked for this often while somebody follows.
    private static let followPause = Duration.milliseconds(250)

    func logs(_ call: AdminCall) async throws -> AdminResponse {
        let query = try logQuery(call)
        let accept = call.request.headers["accept"] ?? ""
        if call.query.flag("follow") || accept.hasPrefix("text/event-stream") {
            return try await follow(query, call)
        }
        let page = try await logPage(query)
        if accept.hasPrefix("text/plain") { return .plain(page) }
        return .json(
            .object([
                "run": .count(page.run), "lines": .array(page.lines.map(\.json)),
                "next": .count(page.next), "first": .count(page.first), "end": .count(page.end),
                "complete": .bool(page.isComplete),
            ]))
    }

    func listDossiers(_ call: AdminCall) async throws -> AdminResponse {
        let dossiers = try await control().dossiers(of: call.path("name"))
        return .json(.object(["dossiers": .array(dossiers.map(\.json))]))
    }

    private func logQuery(_ call: AdminCall) throws(Problem) -> LogQuery {
        let query = call.query
        var logs = LogQuery(deployment: call.path("name"), replica: call.path("replica"))
        switch query.text("run") {
        case nil, "current": logs.run = .current
        case "previous": logs.run = .previous
        case let text?:
            guard let number = Int(text), number > 0 else {
                throw Problem(
                    status: 400, code: "INVALID_PARAMETER",
                    detail:
                        "'run' is \(Spelling.quoted(text)); allowed: current, previous, a number")
            }
            logs.run = .number(number)
        }
        let starts = ["offset", "tail", "since"].filter(query.isGiven)
        guard starts.count < 2 else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "\(Spelling.alternatives(starts)): say one of them")
        }
        if let offset = query.whole("offset") { logs.from = .offset(UInt64(offset)) }
        if let tail = query.whole("tail") { logs.from = .last(lines: tail) }
        if let since = try moment("since", query) { logs.from = .since(since) }
        if let limit = query.whole("limit") { logs.maxLines = limit }
        return logs
    }

    private func logPage(_ query: LogQuery) async throws -> LogPage {
        do {
            return try await control().logs(query)
        } catch ReplicaError.noSuchLog(let name) {
            throw Problem(
                status: 404, code: "LOG_NOT_FOUND", detail: "there is no output of \(name)")
        }
    }

    /// Reads page after page; ends when a newer run has begun, the replica is gone, or nobody reads
    /// any more.
    private func follow(_ asked: LogQuery, _ call: AdminCall) async throws -> AdminResponse {
        let (query, first) = try await beginning(asked, call)
        let place = try streams.enter()
        let control = try control()
        return .events { [self] send in
            defer { place.leave() }
            var (page, query) = (first, query)
            var quiet = Duration.zero
            while !Task.isCancelled, !isClosing.isRaised {
                if !page.lines.isEmpty, try await !isStillLetIn(call) { break }
                for line in page.lines {
                    try await send(
                        "id: \(page.run).\(line.offset)\nevent: line\n"
                            + "data: \(line.json.compact)\n\n")
                }
                quiet = page.lines.isEmpty ? quiet + Self.followPause : .zero
                if quiet >= AdminAPI.heartbeat {
                    try await send(": \(page.next)\n\n")
                    quiet = .zero
                }
                if page.isComplete {
                    if try await Self.isOver(page.run, query, control) { break }
                    try await Task.sleep(for: Self.followPause)
                }
                query.run = .number(page.run)
                query.from = .offset(page.next)
                guard let next = try await Self.page(query, control) else { break }
                page = next
            }
            try await send("event: end\ndata: {}\n\n")
        }
    }

    /// Whether what is followed has a successor: then nothing more comes.
    private static func isOver(
        _ run: Int, _ query: LogQuery, _ control: any DeploymentControl
    ) async throws -> Bool {
        var newest = query
        newest.run = .current
        newest.from = .last(lines: 1)
        return try await page(newest, control).map { $0.run > run } ?? true
    }

    /// Nil when the deployment or what its replica said is gone: that is an end, not a fault.
    private static func page(
        _ query: LogQuery, _ control: any DeploymentControl
    ) async throws -> LogPage? {
        do {
            return try await control.logs(query)
        } catch ControlError.notFound, ControlError.unknownReplica, ReplicaError.noSuchLog {
            return nil
        }
    }

    /// Where the client was, if it comes back and that run is still kept; else where it asks for.
    private func beginning(
        _ asked: LogQuery, _ call: AdminCall
    ) async throws -> (query: LogQuery, page: LogPage) {
        guard let (run, offset) = try lastLine(call) else {
            return (asked, try await logPage(asked))
        }
        var resumed = asked
        (resumed.run, resumed.from) = (.number(run), .offset(offset))
        guard var page = try await Self.page(resumed, control()) else {
            return (asked, try await logPage(asked))
        }
        page.lines.removeAll { $0.offset <= offset }
        return (resumed, page)
    }

    /// `Last-Event-ID: 2.4096`: the run, and the offset of the last line that was told.
    private func lastLine(_ call: AdminCall) throws(Problem) -> (run: Int, offset: UInt64)? {
        guard let text = call.request.headers["last-event-id"] else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let run = Int(parts[0]), run > 0, let offset = UInt64(parts[1])
        else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "Last-Event-ID is \(Spelling.quoted(text)); allowed: the id of an event")
        }
        return (run, offset)
    }
}

extension LogLine {
    fileprivate var json: JSONValue {
        .object([
            "offset": .count(offset), "time": .time(time), "stream": .string(stream.rawValue),
            "text": .string(text), "partial": isPartial ? true : nil,
        ])
    }
}

extension AdminResponse {
    fileprivate static func plain(_ page: LogPage) -> AdminResponse {
        let text = page.lines.map { $0.text + "\n" }.joined()
        return AdminResponse(
            status: 200,
            headers: [
                "content-type": "text/plain; charset=utf-8", "cache-control": "no-store",
                "x-penstock-next-offset": "\(page.next)",
            ], body: Array(text.utf8))
    }
}

extension CrashDossier {
    fileprivate var json: JSONValue {
        .object([
            "replica": .string(replica), "deployment": .string(deployment),
            "revision": .count(revision), "run": .count(run), "model": .string(model),
            "version": .string(version), "started_at": .time(startedAt),
            "ended_at": .time(endedAt), "exit": .string("\(exit)"), "cause": .string(cause),
            "command_line": .texts(commandLine), "last_out": .texts(lastOut),
            "last_error": .texts(lastError), "memory_max": .count(residentBytesMax),
            "cpu_seconds": .number((cpuSeconds * 1000).rounded() / 1000), "gpus": .texts(gpus),
        ])
    }
}
