// What is left of a replica whose shim was killed, and so could end nothing itself: found by its
// session, by the mark in its environment that all it starts inherits, by having been seen below
// the shim, and by descending from any of those. All of that is killed, until nothing is found.

import CLinux
import Foundation
import Glibc

/// What tells a replica's processes from all others.
struct ProcessMarks: Sendable {
    /// The variable that a replica's program is started with.
    static let variable = "PENSTOCK_RUN"

    var shim: ProcessIdentity
    /// Seen below the shim while it lived.
    var seen: [ProcessIdentity] = []

    /// The processes of the table that are the replica's, `own` and what it descends from excepted.
    func members(
        of table: ProcessTable, own: Int32, bears: (ProcessStat) -> Bool
    ) -> [ProcessStat] {
        let known = Dictionary(seen.map { ($0.process, $0.startTicks) }) { first, _ in first }
        let roots = table.processes.filter { process in
            guard process.startTicks >= shim.startTicks, process.process != own else {
                return false
            }
            return process.session == shim.process || known[process.process] == process.startTicks
                || bears(process)
        }
        var found: [Int32: ProcessStat] = [:]
        for root in roots {
            for process in [root] + table.descendants(of: root.process) {
                found[process.process] = process
            }
        }
        // A Penstock that itself runs below a replica of this name is no replica.
        guard found[own] == nil else { return [] }
        return found.values.filter { !$0.isZombie }
    }
}

extension ProcessRuntime {
    /// The mark of one run in the environment of everything it starts.
    func mark(_ replica: String, run: Int) -> String { mark(replica) + "\(run)" }

    private func mark(_ replica: String) -> String { "\(files.tag)/\(replica)/" }

    /// Kills what a killed shim could not.
    ///
    /// - Parameters:
    ///   - replica: what bears its mark is sought, of whichever run; nil where another may live.
    ///   - seen: what was below the shim when it was last looked at.
    func sweep(_ shim: ProcessIdentity, replica: String?, seen: [ProcessIdentity] = []) {
        // While there is anything of its session, the kernel gives the session's number to no other
        // process; if one has it, that session is another's.
        let leader = Kernel.process(shim.process)
        guard leader == nil || leader?.startTicks == shim.startTicks else { return }
        let marks = ProcessMarks(shim: shim, seen: seen)
        let sought = replica.map { Array("\(ProcessMarks.variable)=\(mark($0))".utf8) }
        for _ in 0..<Limits.sweeps {
            let members = marks.members(of: Kernel.processes(), own: getpid()) { process in
                sought.map { Self.environment(of: process.process, has: $0) } ?? false
            }
            // Killed ones stay in the table until somebody has waited for them.
            let living = members.filter { Kernel.process($0.process)?.isZombie == false }
            if living.isEmpty { return }
            for process in living { Self.kill(process) }
        }
    }

    private static func kill(_ process: ProcessStat) {
        let pidfd = penstock_pidfd_open(process.process)
        guard pidfd >= 0 else { return }
        defer { close(pidfd) }
        guard Kernel.process(process.process)?.startTicks == process.startTicks else { return }
        _ = penstock_pidfd_send_signal(pidfd, SIGKILL)
        // Dead before the next look, unless the kernel holds it.
        var polled = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&polled, 1, Limits.sweepMilliseconds)
    }

    /// Processes of other users do not tell, and are none of ours.
    private static func environment(of process: Int32, has variable: [UInt8]) -> Bool {
        let path = "/proc/\(process)/environ"
        guard let bytes = Kernel.contents(path, bytesMax: Limits.environmentBytes) else {
            return false
        }
        return bytes.split(separator: 0).contains { $0.starts(with: variable) }
    }
}
