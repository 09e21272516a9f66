// A path in a fresh directory, for the few tests that need a file.

import Glibc
import Reactor

struct ScratchFile {
    let path: String

    init() throws {
        var template = Array("/tmp/penstock-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemError(call: "mkdtemp", code: errno)
        }
        let folder = template.dropLast().map(UInt8.init(bitPattern:))
        path = String(decoding: folder, as: UTF8.self) + "/file"
    }

    init(path: String) {
        self.path = path
    }

    /// All that the file holds; empty if there is none.
    var text: String {
        let descriptor = unsafe open(path, O_RDONLY)
        defer { Sockets.close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    func removeFile() {
        unsafe unlink(path)
    }

    func remove() {
        removeFile()
        unsafe rmdir(String(path.dropLast("/file".count)))
    }
}
