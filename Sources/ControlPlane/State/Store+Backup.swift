// A copy of the database in one file, made while serving: one consistent moment, compact, durable
// before it appears under its name. Secrets are not in it, nor are artifacts and logs.

package import Foundation
import GRDB

package struct BackupReport: Sendable, Equatable, Codable {
    package var file: String
    package var bytes: Int64
    /// The last change that is in it.
    package var sequence: UInt64
    package var auditEntries: UInt64

    private enum CodingKeys: String, CodingKey {
        case file, bytes, sequence
        case auditEntries = "audit_entries"
    }
}

extension Store {
    package func backup(to file: URL) async throws -> BackupReport {
        try await reading { try await StateDirectory.backup(database, to: file) }
    }
}

extension StateDirectory {
    /// Copies the database of a directory, also of one that a running process has.
    package static func backup(of directory: URL, to file: URL) async throws -> BackupReport {
        try await backup(try reader(of: directory), to: file)
    }

    /// The audit log of a directory, also of one that a running process has.
    package static func auditLog(of directory: URL) throws -> AuditLog {
        AuditLog(try reader(of: directory), directory: directory)
    }

    static func backup(_ source: any DatabaseReader, to file: URL) async throws -> BackupReport {
        let target = file.path(percentEncoded: false)
        let draft = file.appendingPathExtension("\(UUID().uuidString).new")
        let path = draft.path(percentEncoded: false)
        if FileManager.default.fileExists(atPath: target) {
            throw StateError.wouldReplace(file: target)
        }
        do {
            try makePrivate(draft)
            let copying: @Sendable (Database) throws -> Void = {
                try $0.execute(sql: "VACUUM INTO ?", arguments: [path])
            }
            try await source.unsafeRead(copying)
            let report = try examine(draft, as: target)
            try synchronize(draft)
            try FileManager.default.moveItem(at: draft, to: file)
            try synchronize(file.deletingLastPathComponent())
            return report
        } catch {
            // The first error is the one to tell.
            try? FileManager.default.removeItem(at: draft)
            if error is StateError { throw error }
            guard error is DatabaseError else {
                throw StateError.unusable(file: target, reason: error.localizedDescription)
            }
            throw Store.translated(error, target)
        }
    }

    /// Looks at files that another process may be writing; changes nothing.
    private static func reader(of directory: URL) throws -> DatabaseQueue {
        let path = databaseFile(in: directory).path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path) else {
            throw StateError.unusable(file: path, reason: "there is no database here")
        }
        return try Store.translating(path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(10)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try verifyIsState(queue, path)
            return queue
        }
    }

    /// - Throws: `StateError.notABackup` or `tooNew`.
    static func examine(_ backup: URL, as name: String) throws -> BackupReport {
        do {
            return try look(at: backup, as: name)
        } catch StateError.corrupt(_, let reason) {
            // The words for a damaged state, with its way out, would mislead here.
            throw StateError.notABackup(file: name, reason: reason)
        }
    }

    private static func look(at backup: URL, as name: String) throws -> BackupReport {
        let path = backup.path(percentEncoded: false)
        return try Store.translating(name) {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try verifyIsState(queue, name)
            try queue.read { try Store.check($0, name) }
            return try queue.read { connection in
                BackupReport(
                    file: name, bytes: bytes(of: path),
                    sequence: UInt64(
                        bitPattern: try Counters.value(.sequence, in: connection)),
                    auditEntries: UInt64(try AuditTable.last(in: connection).id))
            }
        }
    }

    private static func verifyIsState(_ database: DatabaseQueue, _ name: String) throws {
        let (id, isTooNew, isOld) = try database.read { connection in
            let migrator = Store.migrator()
            return (
                try Int.fetchOne(connection, sql: "PRAGMA application_id") ?? 0,
                try migrator.hasBeenSuperseded(connection),
                try !migrator.hasCompletedMigrations(connection)
            )
        }
        guard id == Schema.applicationID else {
            throw StateError.notABackup(
                file: name,
                reason: "its database belongs to another program, or to a Penstock "
                    + "that must be started once to bring it up to date")
        }
        if isTooNew { throw StateError.tooNew(file: name) }
        if isOld {
            throw StateError.notABackup(
                file: name, reason: "its schema is of an earlier version; start Penstock once")
        }
    }
}
