// `penstock backup` and `penstock restore`: the state directory in one file, and back. They work on
// the directory itself, whether or not a gateway runs over it; a restore insists that none does.

import ArgumentParser
import Foundation
import State

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy the state into one file, also while the gateway serves.",
        usage: """
            penstock backup /backups/monday.penstock
            penstock backup --state /var/lib/penstock /backups/monday.penstock --json
            """,
        discussion: """
            The copy is of one moment and checked before it gets its name; no file is \
            overwritten. It has deployments, splits, tokens (as hashes), events and the audit log; \
            it has no secret file (admin.token, sticky.key, audit.key), no artifact and no log.
            """)

    @Argument(help: "The file to make.", completion: .file())
    var file: String

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let directory = try options.stateDirectory()
        let report = try await Failure.translating {
            try await StateDirectory.backup(of: directory, to: URL(filePath: file))
        }
        if json { return Terminal.print(try JSONText.encode(report)) }
        Terminal.print(
            "\(file): \(report.bytes / 1024) KiB, up to change \(report.sequence), "
                + "\(report.auditEntries) audit entries\n"
                + "To go back to it: penstock restore \(file)")
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the state what it was when a backup was made.",
        usage: """
            penstock restore /backups/monday.penstock
            penstock restore --state /var/lib/penstock --replace /backups/monday.penstock
            """,
        discussion: """
            The gateway must not be running. A state that is there is kept beside under another \
            name, and only replaced with --replace. Watches and versions of the time that is \
            undone are refused afterwards, and the audit log tells of the restore.
            """)

    @Argument(help: "A file that 'penstock backup' has made.", completion: .file())
    var file: String

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Put it in the place of a state that is there.")
    var replace = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let directory = try options.stateDirectory()
        let report = try await Failure.translating {
            try StateDirectory.restore(
                from: URL(filePath: file), into: directory, replacing: replace, at: Date(),
                by: "cli:\(NSUserName())")
        }
        if json { return Terminal.print(try JSONText.encode(report)) }
        var lines = [
            "\(directory.path(percentEncoded: false)): restored, up to change "
                + "\(report.backup.sequence), \(report.backup.auditEntries) audit entries"
        ]
        if let replaced = report.replaced { lines.append("what was there is now \(replaced)") }
        lines.append("Next: penstock serve")
        Terminal.print(lines.joined(separator: "\n"))
    }
}
