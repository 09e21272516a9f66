// A file's path with what it holds, read once: whoever makes contexts reads first, so that making
// them is free of disks and two of them never disagree about one file.

internal import Glibc

package struct TLSFile: Sendable, Equatable {
    package let path: String
    package let content: [UInt8]

    /// What is already at hand; `path` is for messages.
    package init(path: String, content: [UInt8]) {
        self.path = path
        self.content = content
    }

    /// Reads a file as it is now.
    package init(reading path: String) throws(TLSSetupError) {
        self.path = path
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path: path, reason: Self.reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw .unreadable(path: path, reason: Self.reason(errno))
        }
        // A pipe or a device might never end.
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is no file")
        }
        content = try Self.readAll(descriptor, path)
    }

    private static func readAll(
        _ descriptor: Int32, _ path: String
    ) throws(TLSSetupError) -> [UInt8] {
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .unreadable(path: path, reason: reason(errno)) }
            if count == 0 { return content }
            content += piece[..<count]
            guard content.count <= TLSLimits.authorityFileBytes else {
                throw .tooLarge(path: path, bytesMax: TLSLimits.authorityFileBytes)
            }
        }
    }

    private static func reason(_ code: Int32) -> String {
        // The text is the C library's own and is copied before anybody could change it.
        unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }
}
