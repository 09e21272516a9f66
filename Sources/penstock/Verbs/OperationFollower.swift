// Waits for an operation and shows how it goes: one line that changes on a terminal, a line a step
// elsewhere. How it ends becomes the exit code.

import CLinux
import Console
import Foundation
import Glibc
import Notation

struct OperationFollower {
    let client: AdminClient
    /// Looked at this often: often enough to see replicas come one by one.
    private static let pause = Duration.milliseconds(250)
    /// A gateway that starts anew is back by then.
    private static let patience = Duration.seconds(30)

    init(client: AdminClient) {
        self.client = client
    }

    /// - Throws: `Failure` unless it has succeeded.
    func follow(_ operation: JSONValue, options: ChangeOptions) async throws {
        try await follow(operation, timeout: options.timeout.duration, json: options.json)
    }

    func follow(_ begun: JSONValue, timeout: Duration, json: Bool) async throws {
        var operation = begun
        let deadline = ContinuousClock.now.advanced(by: timeout)
        var told = ""
        let farewell = Farewell(goesOn(operation))
        defer { farewell.end() }
        while operation["done"]?.boolean != true {
            told = show(operation, told)
            guard ContinuousClock.now < deadline else {
                endLine()
                throw Failure(
                    .timedOut,
                    "\(OperationText.title(operation)) is still at work after \(timeout.spelled); "
                        + "it goes on\n\(wayBack(operation))")
            }
            try await Task.sleep(for: Self.pause)
            operation = try await look(operation)
        }
        endLine()
        try await end(operation, json: json)
    }

    /// Whoever stops waiting has ended nothing.
    private func goesOn(_ operation: JSONValue) -> String {
        "\(OperationText.title(operation)) goes on without you\n\(wayBack(operation))"
    }

    private func wayBack(_ operation: JSONValue) -> String {
        "to wait on: penstock operations wait \(operation["id"]?.text ?? "")"
    }

    /// The work survives a restart of the gateway, and so does waiting for it.
    private func look(_ operation: JSONValue) async throws -> JSONValue {
        let path = "/v1/operations/\(AdminClient.segment(operation["id"]?.text ?? ""))"
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        while true {
            do {
                return try await client.get(path)
            } catch let failure as Failure
                where failure.code == .error || failure.code == .timedOut
            {
                guard ContinuousClock.now < deadline else {
                    endLine()
                    throw Failure(
                        failure.code,
                        "\(failure.message)\nwhat has become of \(OperationText.title(operation)) "
                            + "is not known; it was begun, and goes on where the gateway does\n"
                            + wayBack(operation))
                }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// - Returns: what has been told by now.
    private func show(_ operation: JSONValue, _ told: String) -> String {
        if Terminal.isLive {
            let line = OperationText.progress(operation, at: Date().timeIntervalSince1970)
            Terminal.errorInPlace(line.cut(to: Terminal.errorWidth - 1))
            return told
        }
        let step = OperationText.step(operation)
        guard step != told else { return told }
        Terminal.error(step)
        return step
    }

    private func endLine() {
        if Terminal.isLive { Terminal.errorInPlace("") }
    }

    private func end(_ operation: JSONValue, json: Bool) async throws {
        let state = operation["state"]?.text
        if json { Terminal.print(operation.pretty.trimmedEnd) }
        if state == "succeeded" {
            if !json { Terminal.print(OperationText.outcome(operation, Terminal.paint)) }
            return
        }
        let code: Failure.Code =
            operation["rolled_back"]?.boolean == true
            ? .rolledBack : state == "cancelled" ? .conflict : .error
        var lines = [OperationText.outcome(operation, Terminal.errorPaint)]
        if state == "failed" { lines += await lastWords(of: operation) }
        throw Failure(code, lines.joined(separator: "\n"), isOutcome: true)
    }

    /// What the replica that failed said last: mostly that is the answer already.
    private func lastWords(of operation: JSONValue) async -> [String] {
        let name = operation["deployment"]?.text ?? ""
        // Without it the hint still leads there.
        let found = try? await client.get(Change.path(name) + "/dossiers")
        let since = operation["created_at"]?.text.flatMap(Words.seconds) ?? 0
        let dossier = found?["dossiers"]?.list.first { dossier in
            // Dossiers know whole seconds only.
            (dossier["ended_at"]?.text.flatMap(Words.seconds) ?? 0) >= since.rounded(.down)
        }
        var lines: [String] = []
        if let dossier {
            lines.append("  \(dossier["replica"]?.text ?? "") \(dossier["cause"]?.text ?? "")")
            lines += CrashAdvice.lastWords(dossier).map {
                "    " + Terminal.errorPaint($0.visibleLine.cut(to: 110), .dim)
            }
        }
        return lines + ["next: penstock why \(name)"]
    }
}

/// Somebody who ends the waiting by Ctrl-C is told that only the waiting ends. Afterwards the
/// signal does what it would have done.
struct Farewell {
    init(_ words: String) {
        let descriptor = penstock_hear_ends()
        // Without a pipe the signal ends the waiting without words.
        guard descriptor >= 0 else { return }
        let thread = Thread {
            let number = penstock_next_signal(descriptor)
            close(descriptor)
            guard number > 0 else { return }
            Terminal.error("\(Terminal.isLive ? "\n" : "")\(words)")
            penstock_end_by_signal(number)
        }
        thread.name = "farewell"
        thread.start()
    }

    func end() { penstock_release_ends() }
}
