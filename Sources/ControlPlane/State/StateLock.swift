// Two gateways over one state directory would each undo what the other stores. The lock is the
// kernel's: it falls with the process, however that dies, and children do not inherit it.

import Foundation
import Glibc

/// Holds `<state>/lock` until it is released or the process ends.
final class StateLock: Sendable {
    private let file: FileHandle

    /// - Throws: `StateError.inUse` naming the process that holds the lock.
    init(directory: URL) throws {
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
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: Data("pid \(getpid())\n".utf8))
        self.file = file
    }

    /// Gives the directory free before the object is gone. Asking again does nothing.
    func release() {
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
