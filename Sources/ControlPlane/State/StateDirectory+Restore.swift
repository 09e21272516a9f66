// A state directory from a backup. What was there is kept beside; sequence numbers jump ahead, so
// that no watcher or ETag of the time that was undone is taken for one of the time that follows.

package import Foundation
import GRDB

package struct RestoreReport: Sendable, Equatable, Codable {
    package var backup: BackupReport
    /// Where the database that was there is now; nil when there was none.
    package var replaced: String?
}

extension StateDirectory {
    /// - Throws: `StateError.inUse` while a process has the directory; `wouldReplace` when there is
    ///   a database and it may not be replaced; `notABackup`, `tooNew`, `corrupt` for bad files.
    package static func restore(
        from backup: URL, into directory: URL, replacing: Bool, at: Date, by actor: String
    ) throws -> RestoreReport {
        try Bounds.check(actor: actor)
        let name = backup.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: name) else {
            throw StateError.notABackup(file: name, reason: "there is no such file")
        }
        let report = try examine(backup, as: name)
        try create(directory)
        let lock = try StateLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        let database = databaseFile(in: directory)
        let path = database.path(percentEncoded: false)
        let isThere = FileManager.default.fileExists(atPath: path)
        guard replacing || !isThere else { throw StateError.wouldReplace(file: path) }
        let draft = directory.appending(path: "penstock.db.\(UUID().uuidString).new")
        do {
            try FileManager.default.copyItem(at: backup, to: draft)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: draft.path(percentEncoded: false))
            try beginAnew(draft, report, at: at, by: actor)
            try synchronize(draft)
            if isThere { foldLog(of: database) }
            let replaced = isThere ? try setAside(database, at: at) : nil
            try FileManager.default.moveItem(at: draft, to: database)
            try setAside(checkpointFile(in: directory), at: at)
            try synchronize(directory)
            return RestoreReport(backup: report, replaced: replaced)
        } catch {
            // The first error is the one to tell.
            try? FileManager.default.removeItem(at: draft)
            if error is StateError { throw error }
            throw StateError.unusable(file: path, reason: "\(error)")
        }
    }

    /// What must not go on as if nothing had happened, in the copy before it takes its place.
    private static func beginAnew(
        _ file: URL, _ report: BackupReport, at: Date, by actor: String
    ) throws {
        let path = file.path(percentEncoded: false)
        try Store.translating(path) {
            let queue = try DatabaseQueue(path: path)
            try queue.write { connection in
                let sequence = Int64(bitPattern: report.sequence) + leap
                try Counters.set(.sequence, to: sequence, in: connection)
                try Counters.set(.compacted, to: sequence, in: connection)
                try Counters.set(.changeBytes, to: 0, in: connection)
                try connection.execute(
                    sql: "DELETE FROM change_log; DELETE FROM lease; "
                        + "DELETE FROM idempotency WHERE is_done = 0")
                try AuditTable.append(
                    AuditDraft(
                        "state.restore", DocumentKey("system", "state"),
                        detail: ["sequence": "\(report.sequence)"]), at: at, actor: actor,
                    before: "", after: "", in: connection)
            }
            try queue.close()
        }
    }

    /// Writes the log of the old database back into it, so that one file has everything.
    private static func foldLog(of database: URL) {
        // One that is too damaged for that is set aside with its log beside it.
        let queue = try? DatabaseQueue(path: database.path(percentEncoded: false))
        try? queue?.close()
    }

    /// Renames a database with its log, or another file, to what tells when it was replaced.
    @discardableResult
    private static func setAside(_ file: URL, at: Date) throws -> String? {
        let stamp = Moment.text(at).replacing(":", with: "").replacing("-", with: "")
        let aside = file.path(percentEncoded: false) + ".replaced-\(stamp)"
        var isThere = false
        // A log left behind would be replayed into whatever database comes next: it goes first.
        for ending in ["-wal", "-shm", ""] {
            let path = file.path(percentEncoded: false) + ending
            guard FileManager.default.fileExists(atPath: path) else { continue }
            try FileManager.default.moveItem(atPath: path, toPath: aside + ending)
            isThere = true
        }
        return isThere ? aside : nil
    }

    /// More changes than were ever made since a backup.
    private static let leap: Int64 = 1 << 32
}
