// `penstock upgrade`: what SIGUSR2 does, with an answer. It signals the process that has the state
// directory and waits until another one has taken over, or until it is told why none has.

import ArgumentParser
import Foundation
import Glibc
import State

struct UpgradeInPlace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Let the program that is installed now take over, without a lost connection.",
        usage: """
            penstock upgrade --config /etc/penstock/penstock.yaml
            penstock upgrade --state /var/lib/penstock --json
            """,
        discussion: """
            Install the new program where the running one was started from, by renaming it over \
            the old one, then say this on the same host. The new process must find the \
            configuration valid and serve before the old one lets go; otherwise everything stays \
            as it was, and the cause is told here.
            """)

    /// Each step of the two processes has its own limit; together they are below this.
    private static let patience = Duration.seconds(180)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let directory = try options.stateDirectory()
        let process = try Self.running(over: directory)
        let before = UpgradeRecord.read(in: directory)
        if let before, before.state == .underWay, before.from.process == process {
            throw Failure(.conflict, "an upgrade of process \(process) is under way")
        }
        try Self.signal(process)
        let record = try await Self.outcome(after: before, of: process, in: directory)
        if json { Terminal.print(record.text) }
        guard record.state == .complete, let to = record.to else {
            if json { throw ExitCode(Failure.Code.error.rawValue) }
            throw Failure(
                .error,
                "not upgraded, process \(process) goes on as before: \(record.cause ?? "unknown")")
        }
        if json { return }
        Terminal.print(
            "penstock \(record.from.version) (process \(record.from.process)) → "
                + "\(to.version) (process \(to.process)); the old one ends with its last answer")
    }

    /// The process named by `penstock.pid`, if it is the one that holds the lock: a number that is
    /// merely left over may be a stranger's by now.
    private static func running(over directory: URL) throws -> Int32 {
        let path = directory.path(percentEncoded: false)
        let named = try? String(
            contentsOf: directory.appending(path: "penstock.pid"), encoding: .utf8)
        let trimmed = named?.trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            guard FileManager.default.fileExists(atPath: path) else { throw nobody(path) }
            try StateLock(directory: directory).release()
            throw nobody(path)
        } catch StateError.inUse(_, let holder) {
            guard let process = trimmed.flatMap({ Int32($0) }), holder == "pid \(process)" else {
                throw Failure(
                    .conflict, "\(path) is just changing hands (\(holder)); try again in a moment")
            }
            return process
        } catch let error as StateError {
            throw Failure(error)
        }
    }

    private static func nobody(_ path: String) -> Failure {
        Failure(.notFound, "no Penstock runs over \(path); start one: penstock serve")
    }

    private static func signal(_ process: Int32) throws {
        guard kill(process, SIGUSR2) != 0 else { return }
        guard errno == EPERM else {
            throw Failure(.notFound, "process \(process) has just ended")
        }
        throw Failure(
            .denied, "process \(process) belongs to another user; say this as that user or as root")
    }

    private static func outcome(
        after before: UpgradeRecord?, of process: Int32, in directory: URL
    ) async throws -> UpgradeRecord {
        let deadline = ContinuousClock.now.advanced(by: patience)
        while ContinuousClock.now < deadline {
            // Looked at first: what it wrote before it ended is there then.
            let isAlive = kill(process, 0) == 0
            if let record = UpgradeRecord.read(in: directory), record != before,
                record.state != .underWay
            {
                return record
            }
            guard isAlive else {
                throw Failure(
                    .error,
                    "process \(process) ended, and no other has taken over; its log says why")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure(
            .timedOut, "process \(process) has not told an outcome within \(patience); see its log")
    }
}
