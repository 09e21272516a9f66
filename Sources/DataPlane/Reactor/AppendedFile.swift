// A file that only grows, or standard output. Used by threads that may wait for a disk, never by a
// loop. A pipe whose reader has stopped is given `patience`, not for ever.

internal import Glibc

package final class AppendedFile: Sendable {
    private let descriptor: Int32
    private let isOwned: Bool
    /// Disks take any amount at once and do not keep a writer waiting for a reader.
    private let isRegular: Bool

    /// `-` is standard output. A new file may be read by its owner's group.
    package init(path: String) throws(SystemError) {
        if path == "-" {
            descriptor = STDOUT_FILENO
            isOwned = false
        } else {
            descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
            isOwned = true
        }
        if descriptor < 0 {
            isRegular = false
            throw SystemError(call: "open", code: errno)
        }
        var status = stat()
        isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    deinit {
        if isOwned && descriptor >= 0 { Sockets.close(descriptor) }
    }

    /// Writes all of `bytes`. Answers how many were written, and the error that stopped it: EAGAIN
    /// when a pipe took nothing for `patience` milliseconds.
    package func write(
        _ bytes: Bytes, patience: Int32
    ) -> (count: Int, failure: SystemError?) {
        var rest = bytes
        while !rest.isEmpty {
            if !isRegular && !isReady(within: patience) {
                return (bytes.count - rest.count, SystemError(call: "write", code: EAGAIN))
            }
            // A pipe that is ready takes this much without blocking.
            let piece = isRegular ? rest.count : min(rest.count, Int(PIPE_BUF))
            let written = unsafe Glibc.write(descriptor, rest.buffer.baseAddress, piece)
            if written >= 0 {
                rest = rest.dropping(written)
            } else if errno != EINTR && errno != EAGAIN {
                return (bytes.count - rest.count, SystemError(call: "write", code: errno))
            }
        }
        return (bytes.count, nil)
    }

    private func isReady(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }
}
