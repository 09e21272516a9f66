// The state directory of one gateway: database, lock, secrets. One process owns it, one
// connection writes it, and what a commit has acknowledged survives a power cut (WAL with
// synchronous FULL: 0.2 ms a commit, which is nothing at the rate people change things).

package import Foundation
import GRDB
import Guarding

package final class Store: StateStore, TrafficStore {
    package let directory: URL
    let database: DatabasePool
    let path: String
    let retention: Retention
    let databaseBytes: Int64
    let hub: WatchHub
    let pageTokens: PageTokens
    let lock: StateLock
    let gate = Guarded(ReadOnlyGate())
    let options: StoreOptions
    private let use = Guarded(Use())
    /// Too large to be checked before the start; upkeep does it.
    private let isUnchecked: Guarded<Bool>

    /// Closing takes away what a read begins with, so it is left to the last read under way.
    private struct Use {
        var isClosed = false
        var reads = 0
    }

    /// Opens or creates the directory, takes its lock, checks the database and brings its schema
    /// up to date.
    ///
    /// - Throws: `StateError` naming the file and what to do.
    package init(directory: URL, options: StoreOptions = StoreOptions()) throws {
        try StateDirectory.create(directory)
        self.directory = directory
        lock = try StateLock(directory: directory)
        path = StateDirectory.databaseFile(in: directory).path(percentEncoded: false)
        try Store.checkPresence(path, directory)
        try StateDirectory.narrow(path)
        database = try Store.open(path, options)
        try Store.checkExtent(database, path, directory)
        self.options = options
        retention = options.retention
        databaseBytes = options.databaseBytes
        hub = WatchHub()
        pageTokens = PageTokens(key: try SecretFile.pageKey(in: directory))
        isUnchecked = Guarded(Store.isLarge(path))
        try recover()
    }

    /// The state of a process that is succeeded: it can be read, and changes are refused until
    /// `takeOver`.
    ///
    /// - Parameter lock: that process's own.
    package init(
        directory: URL, options: StoreOptions = StoreOptions(), passed lock: StateLock
    ) throws {
        self.directory = directory
        self.lock = lock
        path = StateDirectory.databaseFile(in: directory).path(percentEncoded: false)
        gate.withLock { $0.isSuspended = true }
        database = try Store.openToRead(path, options)
        self.options = options
        retention = options.retention
        databaseBytes = options.databaseBytes
        hub = WatchHub()
        pageTokens = PageTokens(key: try SecretFile.pageKey(in: directory))
        isUnchecked = Guarded(Store.isLarge(path))
    }

    deinit {
        // The lock falls with the object; whoever wants to know of a fault calls `close` itself.
        try? close()
    }

    /// Ends the watches. Nothing can be read after it.
    ///
    /// The log stays as it is, as after a crash: copying it back would cost two waits for the disk
    /// in the face of whoever stops the gateway, and without a log the next start would have to
    /// write, which it could not while the disk is full.
    package func close() throws {
        let before = use.withLock { use in
            defer { use.isClosed = true }
            return use
        }
        if before.isClosed { return }
        hub.close()
        defer { lock.release() }
        if before.reads == 0 { try translating { try database.close() } }
    }

    /// Why commits are refused; nil while they are taken.
    package var readOnlyReason: String? { gate.withLock(\.reason) }

    /// Checks a file that was too large to be checked at the start; once.
    func checkLargeFile() async throws {
        guard isUnchecked.withLock({ $0 }) else { return }
        do {
            let path = path
            try await read { try Store.check($0, path) }
            isUnchecked.withLock { $0 = false }
        } catch let error as StateError {
            gate.withLock { $0.condemn(error) }
            throw error
        }
    }

    // MARK: One writer

    /// Does `body` in one transaction; not ended half-way when the caller's task is cancelled.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        let admission = try admit()
        // The store itself must not be held here: were this its last holder, it would be closed
        // from within the queue that closing waits for.
        let (gate, path) = (gate, path)
        return try await withCheckedThrowingContinuation { continuation in
            database.asyncWriteWithoutTransaction { connection in
                continuation.resume(
                    with: Result {
                        try Store.perform(body, admission, gate, path, on: connection)
                    })
            }
        }
    }

    /// The same for callers that cannot suspend.
    func writeNow<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) throws -> Value {
        let admission = try admit()
        return try translating {
            try database.writeWithoutTransaction {
                try Store.perform(body, admission, gate, path, on: $0)
            }
        }
    }

    /// A consistent view of one moment.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try beginRead()
        defer { endRead() }
        do {
            return try await database.read(body)
        } catch {
            throw Store.translated(error, path)
        }
    }

    /// The same for callers that cannot suspend.
    func readNow<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try beginRead()
        defer { endRead() }
        return try translating { try database.read(body) }
    }

    /// For what reads on its own; the database stays open until it has.
    func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        try beginRead()
        defer { endRead() }
        return try await body()
    }

    private func beginRead() throws {
        try use.withLock { use in
            if use.isClosed { throw StateError.closed }
            use.reads += 1
        }
    }

    private func endRead() {
        let isOver = use.withLock { use in
            use.reads -= 1
            return use.isClosed && use.reads == 0
        }
        // Whoever closed the store is gone; there is nobody to tell.
        if isOver { try? database.close() }
    }

    private func admit() throws -> ReadOnlyGate.Admission {
        if use.withLock(\.isClosed) { throw StateError.closed }
        return try gate.withLock { try $0.admit() }
    }

    private static func perform<Value>(
        _ body: (Database) throws -> Value, _ admission: ReadOnlyGate.Admission,
        _ gate: Guarded<ReadOnlyGate>, _ path: String, on connection: Database
    ) throws -> Value {
        do {
            try gate.withLock { try $0.begin(admission) }
            let value = try Store.transaction(body, on: connection)
            gate.withLock { $0.end(admission, with: nil) }
            return value
        } catch {
            let error = Store.translated(error, path)
            gate.withLock { $0.end(admission, with: error as? StateError) }
            throw error
        }
    }

    private static func transaction<Value>(
        _ body: (Database) throws -> Value, on connection: Database
    ) throws -> Value {
        if connection.isInsideTransaction { try connection.rollback() }
        try connection.beginTransaction(.immediate)
        do {
            let value = try body(connection)
            try connection.commit()
            return value
        } catch {
            // SQLite itself has rolled back after some faults; the first error is the one to tell.
            if connection.isInsideTransaction { try? connection.rollback() }
            throw error
        }
    }
}
