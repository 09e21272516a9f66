// After a restart: which runs earlier Penstocks left, alive or ended, and taking the live ones
// over. A process is believed to be a replica's shim if boot, number and start time are the
// recorded ones and it knows the nonce of the run. Whatever belongs to no run is cleared away.

import CLinux
import Foundation
import Glibc
import Guarding

extension ProcessRuntime {
    func findLeftovers() {
        let names =
            (try? FileManager.default.contentsOfDirectory(
                atPath: files.replicas.path(percentEncoded: false))) ?? []
        for name in names.sorted() {
            guard let stored = StoredRun(reading: files.record(name)),
                stored.record.replica == name
            else {
                // Made, but never written to: its shim was never started.
                forgetFiles(of: name)
                continue
            }
            note(stored)
        }
        let (known, shims) = books.withLock { books in
            let found = books.leftovers.values
            return (found.flatMap(\.stored.groups), found.compactMap(\.shim?.process))
        }
        groups.remove(groups.strays(known: Set(known)))
        endStrays(known: Set(shims))
    }

    /// Shims that work in a folder of ours, and whose run is not recorded: somebody removed the
    /// folder. Nobody would ever end them.
    private func endStrays(known: Set<Int32>) {
        let root = files.replicas.path(percentEncoded: false)
        for leader in Kernel.processes().processes
        where leader.session == leader.process && !known.contains(leader.process) {
            // Not ours to look at: not ours.
            let folder = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(leader.process)/cwd")
            let command = Kernel.text("/proc/\(leader.process)/cmdline") ?? ""
            guard folder?.hasPrefix(root) == true, command.contains("shim\0--replica\0") else {
                continue
            }
            // Its name may be that of a run that is well by now: nothing is sought by it.
            endShim(
                ProcessIdentity(
                    process: leader.process, startTicks: leader.startTicks, boot: Kernel.boot),
                of: nil)
        }
    }

    private func note(_ stored: StoredRun) {
        let record = stored.record
        let status = status(of: record)
        guard let status, Kernel.isAlive(status.shim) else {
            if status == nil { endStranger(in: record.replica) }
            let end = conclude(stored, shim: status?.shim)
            let leftover = Leftover(record: record, state: .ended(end))
            books.withLock {
                $0.leftovers[record.replica] = FoundRun(leftover: leftover, stored: stored)
            }
            return
        }
        let leftover = Leftover(record: record, state: .alive(status.child ?? status.shim))
        books.withLock { books in
            books.leftovers[record.replica] = FoundRun(
                leftover: leftover, stored: stored, shim: status.shim)
            books.gpus.restore(record.gpus, to: record.replica)
            if let port = record.address.port { books.ports.restore(port, to: record.replica) }
        }
    }

    /// A shim in the replica's folder that is not of the recorded run: nobody would ever end it.
    private func endStranger(in replica: String) {
        let bytes = Kernel.contents(files.status(replica), bytesMax: 2 * ShimStatus.slotBytes)
        guard let shim = bytes.flatMap({ ShimStatus(file: $0) })?.shim else { return }
        endShim(shim, of: replica)
    }

    private func endShim(_ shim: ProcessIdentity, of replica: String?) {
        let pidfd = penstock_pidfd_open(shim.process)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        guard Kernel.isAlive(shim) else { return }
        _ = penstock_pidfd_send_signal(pidfd, SIGKILL)
        // It dies at once, unless the kernel holds it; this is the start, and nobody waits yet.
        var polled = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&polled, 1, Limits.strayMilliseconds)
        sweep(shim, replica: replica)
        Self.reap(pidfd)
    }

    package func leftovers() async -> [Leftover] {
        books.withLock { $0.leftovers.values.map(\.leftover) }
            .sorted { $0.record.replica < $1.record.replica }
    }

    package func adopt(_ leftover: Leftover) async throws(ReplicaError) -> ReplicaRun {
        let record = leftover.record
        let found = books.withLock { $0.leftovers[record.replica] }
        guard let found, found.stored.record == record, let shim = found.shim else {
            throw .notAdoptable("it has ended")
        }
        let pidfd = penstock_pidfd_open(shim.process)
        guard pidfd >= 0 else { throw .notAdoptable("its shim has ended") }
        do throws(ReplicaError) {
            try await prove(shim, record)
            guard let child = status(of: record)?.child else {
                throw .notAdoptable("its program does not run")
            }
            let live = LiveRun(
                stored: found.stored, run: ReplicaRun(record: record), shim: shim, pidfd: pidfd)
            live.run.report(.spawned(child))
            look(after: live)
            return live.run
        } catch {
            close(pidfd)
            throw error
        }
    }

    /// With the pidfd open, the number cannot pass to another process any more.
    private func prove(_ shim: ProcessIdentity, _ record: ReplicaRecord) async throws(ReplicaError)
    {
        guard Kernel.isAlive(shim) else { throw .notAdoptable("its shim has ended") }
        let answer = try await ask("hello", shim: shim, folder: files.folder(record.replica))
        guard answer == "penstock-shim 1 \(record.nonce)" else {
            throw .notAdoptable("its shim does not know the nonce of the run")
        }
    }

    package func discard(_ leftover: Leftover) async {
        let record = leftover.record
        guard let found = books.withLock({ $0.leftovers[record.replica] }),
            found.stored.record == record
        else { return }
        if leftover.isAlive, let shim = found.shim {
            await end(shim, record)
            _ = conclude(found.stored, shim: shim, notes: LiveRun.Notes(isStopping: true))
        }
        give(back: record.replica)
    }

    private func end(_ shim: ProcessIdentity, _ record: ReplicaRecord) async {
        let pidfd = penstock_pidfd_open(shim.process)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        guard Kernel.isAlive(shim) else { return }
        // Whether it obeys is seen below.
        _ = try? await ask(
            "kill \(record.nonce)", shim: shim, folder: files.folder(record.replica))
        if await watcher.readable(pidfd, within: Limits.endingPatience) { return }
        _ = penstock_pidfd_send_signal(pidfd, SIGKILL)
        _ = await watcher.readable(pidfd, within: Limits.endingPatience)
    }
}
