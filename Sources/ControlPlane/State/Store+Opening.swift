// How the database is opened: pragmas, soundness, schema, and SQLite's error codes turned into
// words.

import Foundation
import GRDB

extension Store {
    static func open(_ path: String, _ options: StoreOptions) throws -> DatabasePool {
        try translating(path) {
            let database = try DatabasePool(path: path, configuration: configuration(options))
            try prepare(database, path, options)
            return database
        }
    }

    /// Another process still writes: nothing is changed yet, not even the schema. What is read
    /// before `prepare` are documents and settings, which no step of the schema has changed since
    /// there are any.
    static func openToRead(_ path: String, _ options: StoreOptions) throws -> DatabasePool {
        try translating(path) {
            let database = try DatabasePool(path: path, configuration: configuration(options))
            try refuseLater(database)
            return database
        }
    }

    static func prepare(
        _ database: DatabasePool, _ path: String, _ options: StoreOptions
    ) throws {
        try translating(path) {
            if !isLarge(path) { try database.read { try check($0, path) } }
            try migrate(database)
            try database.writeWithoutTransaction { connection in
                // The pool sets NORMAL with the WAL, whatever was asked for before.
                try connection.execute(sql: "PRAGMA synchronous = FULL")
                let level = try Int.fetchOne(connection, sql: "PRAGMA synchronous")
                precondition(level == 2, "commits must survive a power cut")
                let pageBytes = try Int64.fetchOne(connection, sql: "PRAGMA page_size") ?? 4096
                try connection.execute(
                    sql: "PRAGMA max_page_count = \(max(1, options.databaseBytes / pageBytes))")
            }
        }
    }

    private static func configuration(_ options: StoreOptions) -> Configuration {
        var configuration = Configuration()
        configuration.label = "penstock.state"
        configuration.foreignKeysEnabled = true
        // Else a transaction that could not even be rolled back would end the process.
        configuration.allowsUnsafeTransactions = true
        configuration.maximumReaderCount = StateLimits.readers
        configuration.busyMode = .timeout(options.patience / .seconds(1))
        configuration.prepareDatabase { connection in
            try connection.execute(sql: "PRAGMA cache_size = -\(StateLimits.pageCacheKiB)")
            if connection.configuration.readonly { return }
            // It would be written again at each start, which then fails while the disk is full.
            // `migrate` sees to files of early versions.
            guard try Int.fetchOne(connection, sql: "PRAGMA page_count") == 0 else { return }
            try connection.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        }
        return configuration
    }

    static func check(_ connection: Database, _ file: String) throws {
        let verdict = try String.fetchOne(connection, sql: "PRAGMA quick_check(1)")
        guard verdict == "ok" else {
            throw StateError.corrupt(file: file, reason: verdict ?? "no answer")
        }
    }

    /// A file that is empty although the directory has been in use was not so when it was left.
    /// Nothing is made before that is known: what a first start makes would hide it.
    static func checkPresence(_ path: String, _ directory: URL) throws {
        guard StateDirectory.bytes(of: path) == 0 else { return }
        if let vouched = vouched(directory) { throw behind(path, entries: 0, vouched, directory) }
        if FileManager.default.fileExists(atPath: path), SecretFile.hasPageKey(in: directory) {
            throw StateError.corrupt(file: path, reason: "it is empty, and was not")
        }
    }

    /// The directory's own checkpoint may not have reached further than the database does.
    static func checkExtent(
        _ database: DatabasePool, _ path: String, _ directory: URL
    ) throws {
        guard let vouched = vouched(directory) else { return }
        let last = try translating(path) { try database.read { try AuditTable.last(in: $0).id } }
        let entries = UInt64(clamping: last)
        guard entries < vouched else { return }
        throw behind(path, entries: entries, vouched, directory)
    }

    /// The newest entry that a checkpoint was signed for; nil when none was.
    private static func vouched(_ directory: URL) -> UInt64? {
        // One that nobody can read vouches for nothing; `penstock audit verify` tells of it.
        let checkpoint = try? AuditLog.checkpoint(in: StateDirectory.checkpointFile(in: directory))
        return checkpoint.flatMap { $0.lastID > 0 && $0.isGenuine ? $0.lastID : nil }
    }

    private static func behind(
        _ path: String, entries: UInt64, _ vouched: UInt64, _ directory: URL
    ) -> StateError {
        let file = StateDirectory.checkpointFile(in: directory).path(percentEncoded: false)
        return .behind(file: path, entries: entries, checkpoint: file, vouched: vouched)
    }

    static func isLarge(_ path: String) -> Bool {
        StateDirectory.bytes(of: path) > StateLimits.checkedAtStartBytes
    }

    func translating<Value>(_ body: () throws -> Value) throws -> Value {
        try Store.translating(path, body)
    }

    static func translating<Value>(_ file: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw translated(error, file)
        }
    }

    /// Gives SQLite's result codes the words an operator needs.
    static func translated(_ error: any Error, _ file: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        let reason = error.message ?? error.resultCode.description
        return switch error.resultCode {
        case .SQLITE_FULL: StateError.full(file: file)
        case .SQLITE_BUSY, .SQLITE_LOCKED: StateError.locked(file: file)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: StateError.corrupt(file: file, reason: reason)
        case .SQLITE_MISUSE: StateError.closed
        default: StateError.unusable(file: file, reason: reason)
        }
    }
}
