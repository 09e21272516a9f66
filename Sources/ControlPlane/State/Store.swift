// The state directory of one gateway: database, lock, secrets. One process owns it, one
// connection writes it, and what a commit has acknowledged survives a power cut (WAL with
// synchronous FULL: 0.2 ms a commit, which is nothing at the rate people change things).

package import Foundation
import GRDB

package final class Store: TrafficStore {
    package let directory: URL
    let database: DatabaseQueue
    private let lock: StateLock

    /// Opens or creates the directory, takes its lock, checks the database and brings its schema
    /// up to date.
    ///
    /// Only another program can hold the database (a shell, a backup); `patience`, in seconds, is
    /// how long a commit waits for it.
    ///
    /// - Throws: `StateError` naming the file and what to do.
    package init(directory: URL, patience: TimeInterval = 2) throws {
        try Store.create(directory)
        self.directory = directory
        lock = try StateLock(directory: directory)
        let path = directory.appending(path: "penstock.db").path(percentEncoded: false)
        let database = try Store.translating(path) {
            try DatabaseQueue(path: path, configuration: Store.configuration(patience: patience))
        }
        try Store.check(database)
        try Store.migrate(database)
        self.database = database
    }

    /// The token of the admin port, made at the first start. The CLI reads the same file.
    package func adminToken() throws -> AdminToken {
        let file = SecretFile(url: directory.appending(path: "admin.token"))
        let data = try file.readOrMake {
            var generator = SystemRandomNumberGenerator()
            return Data((AdminToken.make(using: &generator).text + "\n").utf8)
        }
        let text = String(bytes: data, encoding: .utf8) ?? ""
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let token = AdminToken(trimmed) else {
            throw StateError.malformedSecret(file: file.path, expected: "an admin token (pst_a…)")
        }
        return token
    }

    /// Sixteen bytes that sign sticky cookies, so that they stay good over restarts.
    package func stickyKey() throws -> [UInt8] {
        let file = SecretFile(url: directory.appending(path: "sticky.key"))
        let data = try file.readOrMake {
            var generator = SystemRandomNumberGenerator()
            return Data((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        guard data.count == 16 else {
            throw StateError.malformedSecret(file: file.path, expected: "a key of 16 bytes")
        }
        return [UInt8](data)
    }

    /// A value by name; nil when never set.
    package func setting(_ key: String) throws -> String? {
        try translating {
            try database.read { connection in
                try String.fetchOne(
                    connection, sql: "SELECT value FROM setting WHERE key = ?", arguments: [key])
            }
        }
    }

    package func setSetting(_ key: String, to value: String) throws {
        try translating {
            try database.write { try Store.set(key, to: value, in: $0) }
        }
    }

    /// The newest entries of the audit trail, newest first.
    package func changes(limit: Int) throws -> [ChangeRecord] {
        try translating {
            try database.read { try Store.changes(in: $0, limit: limit) }
        }
    }

    private static func create(_ directory: URL) throws {
        let path = directory.path(percentEncoded: false)
        if FileManager.default.fileExists(atPath: path) { return }
        do {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o700], ofItemAtPath: path)
        } catch {
            throw StateError.unusable(file: path, reason: error.localizedDescription)
        }
    }
}
