// Stopping: the order goes to the shim, which sends SIGTERM to all processes, waits for the grace
// and kills. A shim that does not answer is killed itself; the replica dies with it.

import CLinux
import Glibc
import Guarding

extension ProcessRuntime {
    package func stop(_ run: ReplicaRun, grace: Duration) async {
        guard let live = books.withLock({ $0.live[run.record.replica] }), live.run === run else {
            return
        }
        live.notes.withLock { $0.isStopping = true }
        await order(live, grace: grace)
    }

    private func order(_ live: LiveRun, grace: Duration) async {
        do {
            let verb = grace > .zero ? "stop" : "kill"
            let request = "\(verb) \(live.record.nonce) \(max(1, grace.milliseconds))"
            let answer = try await ask(
                request, shim: live.shim, folder: files.folder(live.record.replica))
            guard answer == "ok" else { return Self.killShim(live) }
        } catch {
            return Self.killShim(live)
        }
        let patience = grace + Limits.endingPatience
        Task {
            // Nobody cancels this; and early would only be too early for one that hangs.
            try? await Task.sleep(for: patience)
            Self.killShim(live)
        }
    }

    /// The end of a replica seen above its memory limit.
    func endForMemory(_ live: LiveRun, residentBytes: Int) async {
        live.notes.withLock { $0.watchedBytes = residentBytes }
        await order(live, grace: .zero)
    }

    private static func killShim(_ live: LiveRun) {
        live.pidfd.withLock { pidfd in
            guard let pidfd else { return }
            _ = penstock_pidfd_send_signal(pidfd, SIGKILL)
        }
    }
}
