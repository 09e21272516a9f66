// `penstock audit`: is the trail whole, and the trail itself. Verify and export read the state
// directory, so they need no running gateway and disturb none; list asks the admin port.

import ArgumentParser
import Foundation
import State

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, verify or export who did what.",
        usage: """
            penstock audit list --name iris --since 24h
            penstock audit verify
            penstock audit verify --checkpoint /elsewhere/audit.checkpoint
            penstock audit export --since 1200 > trail.ndjson
            """,
        discussion: """
            Each entry carries the hash of the one before, so none can be changed or taken out \
            unnoticed. That the end was cut off, or all of it replaced, shows against the signed \
            note 'audit.checkpoint' of the state directory: keep copies of it elsewhere.
            """,
        subcommands: [AuditList.self, Verify.self, Export.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Walk the whole chain and name the first entry that is wrong.",
            usage: "penstock audit verify --checkpoint /elsewhere/audit.checkpoint")

        @OptionGroup var options: ConfigurationOptions

        @Option(
            help: "A signed note kept elsewhere, instead of the directory's own.",
            completion: .file())
        var checkpoint: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let directory = try options.stateDirectory()
            let verdict = try await Failure.translating {
                try await StateDirectory.auditLog(of: directory).verify(against: try given())
            }
            if json { Terminal.print(try JSONText.encode(verdict)) }
            guard verdict.isIntact else {
                if json { throw ExitCode(Failure.Code.error.rawValue) }
                throw Failure(
                    .error, "entry \(verdict.firstBad ?? 0): \(verdict.reason ?? "not as written")")
            }
            if !json { Terminal.print(Self.text(verdict)) }
        }

        private func given() throws -> AuditCheckpoint? {
            guard let checkpoint else { return nil }
            guard let found = try AuditLog.checkpoint(in: URL(filePath: checkpoint)) else {
                throw Failure(.notFound, "\(checkpoint): there is no such file")
            }
            return found
        }

        private static func text(_ verdict: AuditVerdict) -> String {
            let signed =
                verdict.signedUpTo > 0
                ? "signed up to entry \(verdict.signedUpTo)"
                : "no signed checkpoint yet: whether its end was cut off cannot be told"
            return "intact: \(verdict.entriesChecked) entries; \(signed)"
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print every entry as JSON, one a line, oldest first.",
            usage: "penstock audit export --since 1200 > trail.ndjson")

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "Only entries after this one.")
        var since: UInt64 = 0

        func run() async throws {
            let directory = try options.stateDirectory()
            try await Failure.translating {
                try await StateDirectory.auditLog(of: directory).export(since: since) {
                    Terminal.print($0)
                }
            }
        }
    }
}
