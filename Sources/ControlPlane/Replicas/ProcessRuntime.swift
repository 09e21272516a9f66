// Replicas as processes of this machine: each leads its own session, so that it outlives a crash of
// Penstock and can be ended with all its children. Owns the search for programs, the files and the
// one thread that hears of exits.

import CLinux
package import Foundation
import Glibc

package final class ProcessRuntime: Sendable {
    package let files: ReplicaFiles
    private let search: ProgramSearch
    private let inherited: [String: String]
    private let watcher: ExitWatcher

    package init(
        state: URL, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        files = try ReplicaFiles(state: state)
        search = ProgramSearch(environment: environment)
        inherited = environment
        watcher = try ExitWatcher()
    }

    /// Everything about a spec that can be known before it runs.
    package func check(_ spec: ReplicaSpec) throws(ReplicaError) {
        _ = try search.program(spec.command.first ?? "")
        let socket = files.socket(spec.name)
        guard socket.utf8.count <= Limits.socketPathBytes else {
            throw .socketPathTooLong(socket)
        }
        if let artifact = spec.artifact, !FileManager.default.fileExists(atPath: artifact) {
            throw .artifactNotFound(artifact)
        }
    }

    func spawn(_ spec: ReplicaSpec) throws -> ReplicaProcess {
        try check(spec)
        let socket = files.socket(spec.name)
        // A stale socket file would look like an address that answers; there mostly is none.
        try? FileManager.default.removeItem(atPath: socket)
        let log = ReplicaLog(path: files.log(spec.name))
        log.rotateIfLarge()
        let program = try search.program(spec.command[0])
        let launch = Launch(
            program: program,
            arguments: spec.command.map { spec.filled($0, socket: socket) },
            variables: spec.variables(inherited: inherited, socket: socket),
            workingDirectory: spec.workingDirectory, log: log.path)
        let identifier = try Self.start(launch)
        do {
            let process = try ReplicaProcess(identifier: identifier, watcher: watcher)
            try ReplicaRecord(process: identifier)?.write(to: files.record(spec.name))
            return process
        } catch {
            // Unwatched and unrecorded it would be lost: rather none.
            _ = kill(-identifier, SIGKILL)
            throw error
        }
    }

    /// The replica's process is gone; so are its files.
    func forget(_ spec: ReplicaSpec) {
        forget(files.record(spec.name), files.socket(spec.name))
    }

    private func forget(_ paths: String...) {
        for path in paths {
            // Most replicas remove their socket themselves.
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Ends what a crashed Penstock left running. A process whose boot or start time differs from
    /// the record is somebody else's and is left alone.
    ///
    /// - Returns: the names of the replicas ended.
    package func endLeftovers() -> [String] {
        // An unreadable directory holds no records that we could act on.
        let names =
            (try? FileManager.default.contentsOfDirectory(
                atPath: files.run.path(percentEncoded: false))) ?? []
        return names.filter { $0.hasSuffix(".json") }.compactMap { file in
            let name = String(file.dropLast(".json".count))
            let path = files.record(name)
            // What stays is read again at the next start and then found outdated.
            defer { forget(path, files.socket(name)) }
            guard let record = ReplicaRecord(reading: path), record.process > 1 else { return nil }
            // Held open, the number cannot pass to another process between check and signal.
            let descriptor = penstock_pidfd_open(record.process)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            guard ReplicaRecord(process: record.process) == record else { return nil }
            _ = kill(-record.process, SIGKILL)
            _ = penstock_pidfd_send_signal(descriptor, SIGKILL)
            return name
        }
    }
}
