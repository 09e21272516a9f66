// The end of a run: heard through a pidfd, read from what the shim wrote, told with its cause. What
// is left of the replica is killed, its files go, its log and its dossier stay.

import CLinux
import Foundation
import Glibc
import Guarding

extension ProcessRuntime {
    /// From now on this runtime hears of the run's end and samples what it uses.
    func look(after live: LiveRun) {
        let replica = live.record.replica
        books.withLock { books in
            books.starting.remove(replica)
            books.leftovers[replica] = nil
            books.live[replica] = live
        }
        let watcher = watcher
        guard let pidfd = live.pidfd.withLock({ $0 }) else { return }
        Task { [weak self] in
            guard await watcher.readable(pidfd) else { return }
            // Reaped also when nobody is left to be told.
            Self.reap(live)
            self?.ended(live)
        }
        startSampling()
    }

    private static func reap(_ live: LiveRun) {
        live.pidfd.withLock { pidfd in
            if let pidfd {
                reap(pidfd)
                close(pidfd)
            }
            pidfd = nil
        }
    }

    private func ended(_ live: LiveRun) {
        let notes = live.notes.withLock { $0 }
        let end = conclude(live.stored, shim: live.shim, notes: notes)
        give(back: live.record.replica)
        live.run.report(.exited(end))
    }

    /// A shim that this process started would stay a zombie; one that it adopted is not its child.
    static func reap(_ pidfd: Int32) {
        var (code, status): (Int32, Int32) = (0, 0)
        _ = unsafe penstock_waitid_pidfd(pidfd, &code, &status, 1)
    }

    /// One of an earlier runtime of this very process, or of the program it ran before an exec,
    /// which keeps children.
    static func reap(_ shim: ProcessIdentity) {
        let pidfd = penstock_pidfd_open(shim.process)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        guard Kernel.process(shim.process)?.startTicks == shim.startTicks else { return }
        reap(pidfd)
    }

    /// What the shim has written, if it is this run's.
    func status(of record: ReplicaRecord) -> ShimStatus? {
        let path = files.status(record.replica)
        guard let bytes = Kernel.contents(path, bytesMax: 2 * ShimStatus.slotBytes),
            let status = ShimStatus(file: bytes), status.nonce == record.nonce
        else { return nil }
        return status
    }

    /// Learns how a run whose shim is gone has ended, and clears up after it.
    func conclude(
        _ stored: StoredRun, shim: ProcessIdentity?, notes: LiveRun.Notes = .init()
    ) -> ReplicaEnd {
        let status = status(of: stored.record)
        if let shim, shim.boot == Kernel.boot {
            if status?.state != .exited {
                sweep(shim, replica: stored.record.replica, seen: notes.members)
            }
            Self.reap(shim)
        }
        let isOutOfMemory = groups.isOutOfMemory(stored.groups)
        var circumstances = EndCircumstances(
            exit: Self.exit(status), request: status?.request ?? .none,
            memoryLimitBytes: stored.resources.memoryBytes)
        circumstances.isOutOfMemory = isOutOfMemory
        circumstances.watchedBytes = notes.watchedBytes
        circumstances.unkillable = status?.unkillable ?? 0
        let isOurs = notes.watchedBytes != nil
        let isRequested = !isOurs && (notes.isStopping || circumstances.request != .none)
        var end = ReplicaEnd(
            exit: circumstances.exit, isRequested: isRequested, at: status?.ended ?? Date(),
            cause: circumstances.cause)
        if !isRequested || isOutOfMemory {
            let dossier = dossier(stored, status, end)
            DossierFolder(path: files.dossiers(of: stored.record.deployment)).add(dossier)
            end.dossier = dossier
        }
        groups.remove(stored.groups)
        forgetFiles(of: stored.record.replica)
        return end
    }

    private static func exit(_ status: ShimStatus?) -> ReplicaExit {
        guard let status else { return .unknown("Penstock ended while it was started") }
        if let exit = status.exit { return exit }
        if let failure = status.failure {
            return .unknown("could not \(failure.step): \(Kernel.errorText(failure.error))")
        }
        if status.boot != Kernel.boot { return .unknown("the machine was started anew") }
        return .unknown("its shim, process \(status.shim.process), was killed, and it with that")
    }

    private func dossier(
        _ stored: StoredRun, _ status: ShimStatus?, _ end: ReplicaEnd
    ) -> CrashDossier {
        let record = stored.record
        let folder = LogFolder(path: files.log(record.replica, of: record.deployment))
        let words = folder.lastWords(of: record.run)
        return CrashDossier(
            replica: record.replica, deployment: record.deployment, revision: record.revision,
            run: record.run, model: stored.model, version: stored.version,
            startedAt: status?.started ?? record.startedAt, endedAt: end.at, exit: end.exit,
            cause: end.cause, commandLine: stored.commandLine, lastOut: words.out,
            lastError: words.error, lostLines: status?.lostLines ?? 0,
            residentBytesMax: status?.residentBytesMax ?? 0, cpuSeconds: status?.cpuSeconds ?? 0,
            resources: stored.resources, enforcement: record.enforcement, gpus: record.gpus)
    }

    func forgetFiles(of replica: String) {
        for path in [files.folder(replica), files.socket(replica)] {
            // Most replicas remove their socket themselves.
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}
