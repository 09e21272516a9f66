// Two gateways over one state directory would each undo what the other stores. The lock is the
// kernel's: it falls with the process, however that dies, and children do not inherit it.

package import Foundation
import Glibc

/// Holds `<state>/lock` until it is released, dropped, or the process ends.
package final class StateLock: Sendable {
    package let descriptor: Int32
    private let file: FileHandle
    private let isReleased = Guarded(false)

    /// - Throws: `StateError.inUse` naming the process that holds the lock.
    package init(directory: URL) throws {
        let path = directory.appending(path: "lock").path(percentEncoded: false)
        if !FileManager.default.fileExists(atPath: path) {
            // Two starters may both get here; the lock below decides between them.
            _ = FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        guard let file = FileHandle(forUpdatingAtPath: path) else {
            throw StateError.unusable(file: path, reason: "cannot be opened for writing")
        }
        // Replicas outlive a crash of the gateway; with this descriptor they would hold the lock.
        _ = fcntl(file.fileDescriptor, F_SETFD, FD_CLOEXEC)
        guard flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StateError.inUse(file: path, holder: StateLock.holder(in: file))
        }
        self.file = file
        descriptor = file.fileDescriptor
        // Whose lock it is only decorates somebody else's error; a full disk must not keep a
        // gateway from starting.
        try? file.truncate(atOffset: 0)
        try? file.write(contentsOf: Data("pid \(getpid())\n".utf8))
    }

    deinit { release() }

    /// Gives the directory free. Asking again does nothing.
    package func release() {
        let wasReleased = isReleased.withLock { isReleased in
            defer { isReleased = true }
            return isReleased
        }
        if wasReleased { return }
        // Closing is not enough: a process that is just being started has a copy of the
        // descriptor until it runs its program, and with it the lock.
        _ = flock(descriptor, LOCK_UN)
        // A descriptor that cannot be closed is closed all the same.
        try? file.close()
    }

    private static func holder(in file: FileHandle) -> String {
        // Only decorates an error; an unreadable file must not hide that error.
        let text = (try? file.readToEnd()).flatMap { String(bytes: $0, encoding: .utf8) } ?? ""
        let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return line.isEmpty ? "process unknown" : line
    }
}
