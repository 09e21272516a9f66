// Two gateways over one state directory would each undo what the other stores. The lock is the
// kernel's: it falls with the process, however that dies, and children do not inherit it. It is of
// the open file, so a process that takes over gets it with a descriptor, and it is never free.

package import Foundation
import Glibc
import Guarding

/// Holds `<state>/lock` until it is released, dropped, or the process ends.
package final class StateLock: Sendable {
    package let descriptor: Int32
    private let file: FileHandle
    private let isReleased = Guarded(false)

    /// - Throws: `StateError.inUse` naming the process that holds the lock.
    package convenience init(directory: URL) throws {
        let path = directory.appending(path: "lock").path(percentEncoded: false)
        // Closed on exec from the first moment: a program that another thread is just starting
        // would hold the lock as long as it runs.
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StateError.unusable(file: path, reason: "cannot be opened for writing")
        }
        try self.init(descriptor, path)
        sign()
    }

    /// The lock of a process that is succeeded, with the descriptor that came from there. Signed
    /// only once that process has given the directory up.
    package convenience init(passed descriptor: Int32, directory: URL) throws {
        let path = directory.appending(path: "lock").path(percentEncoded: false)
        guard Self.isSame(descriptor, path) else {
            close(descriptor)
            throw StateError.unusable(
                file: path,
                reason: "is another state directory than that of the process to take over from")
        }
        try self.init(descriptor, path)
    }

    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var (own, found) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0, unsafe stat(path, &found) == 0 else {
            return false
        }
        return own.st_dev == found.st_dev && own.st_ino == found.st_ino
    }

    private init(_ descriptor: Int32, _ path: String) throws {
        self.descriptor = descriptor
        file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        // Nothing happens where the open file has the lock already.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = StateLock.holder(in: file)
            close(descriptor)
            isReleased.withLock { $0 = true }
            throw StateError.inUse(file: path, holder: holder)
        }
    }

    deinit { release() }

    /// Whose lock it is only decorates somebody else's error; a full disk must not keep a gateway
    /// from starting.
    package func sign() {
        try? file.truncate(atOffset: 0)
        try? file.write(contentsOf: Data("pid \(getpid())\n".utf8))
    }

    /// Another process has it, too, and keeps it: only this descriptor of it goes.
    package func passOn() {
        isReleased.withLock { isReleased in
            if !isReleased { close(descriptor) }
            isReleased = true
        }
    }

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
        close(descriptor)
    }

    private static func holder(in file: FileHandle) -> String {
        // Only decorates an error; an unreadable file must not hide that error.
        let text = (try? file.readToEnd()).flatMap { String(bytes: $0, encoding: .utf8) } ?? ""
        let line = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return line.isEmpty ? "process unknown" : line
    }
}
