// What is on disk about a run for as long as it lives: its record, its control groups, and what its
// dossier will say of how it was started. Written before its shim is, so that there is never a shim
// that nobody knows of.

import Foundation
import Glibc
import Guarding

struct StoredRun: Codable, Equatable, Sendable {
    var record: ReplicaRecord
    var groups: [String]
    var model: String
    var version: String
    /// Without secrets.
    var commandLine: [String]
    var resources: ReplicaResources

    init(record: ReplicaRecord, groups: [String], spec: ReplicaSpec, places: RunPlaces) {
        self.record = record
        self.groups = groups
        model = spec.model
        version = spec.version
        resources = spec.resources
        commandLine = Redaction(spec: spec).commandLine(
            spec.command.map { spec.filled($0, places) })
    }

    init?(reading path: String) {
        // A torn or foreign file names no run, so nothing is done about it.
        guard let bytes = Kernel.contents(path, bytesMax: Limits.recordBytes),
            let stored = try? JSONDecoder().decode(StoredRun.self, from: Data(bytes))
        else { return nil }
        self = stored
    }

    func write(to path: String) throws(ReplicaError) {
        try ReplicaError.file(path) {
            try JSONEncoder().encode(self).write(to: URL(filePath: path), options: .atomic)
        }
    }
}

/// A run that this Penstock looks after.
final class LiveRun: Sendable {
    let stored: StoredRun
    let run: ReplicaRun
    let shim: ProcessIdentity
    /// Once ended, the descriptor's number may be another's: nil then.
    let pidfd: Guarded<Int32?>
    let notes = Guarded(Notes())

    struct Notes: Sendable {
        var isStopping = false
        /// Seen above its memory limit, and ended for it.
        var watchedBytes: Int?
        var meter = UsageMeter()
        /// Its processes when they were last looked at.
        var members: [ProcessIdentity] = []
        var memory = MemoryEstimate()
    }

    init(stored: StoredRun, run: ReplicaRun, shim: ProcessIdentity, pidfd: Int32) {
        self.stored = stored
        self.run = run
        self.shim = shim
        self.pidfd = Guarded(pidfd)
    }

    deinit {
        // Set only if the run outlived the runtime.
        if let pidfd = pidfd.withLock({ $0 }) { close(pidfd) }
    }

    var record: ReplicaRecord { stored.record }
}

/// A run found at the start.
struct FoundRun: Sendable {
    var leftover: Leftover
    var stored: StoredRun
    var shim: ProcessIdentity?
}
