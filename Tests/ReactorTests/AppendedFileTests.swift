// Appending to files, and what happens when they do not take it.

import Fixtures
import Glibc
import Reactor
import Testing

@Suite struct AppendedFileTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try .made()
    }

    @Test func `writes add to what a file holds`() throws {
        for word in ["one", "two"] {
            let file = try AppendedFile(path: folder.path(of: "log"))
            let (count, failure) = write(word, to: file)
            #expect(count == 3 && failure == nil)
        }
        #expect(try folder.text(of: "log") == "onetwo")
    }

    @Test func `a path that cannot be opened says why`() {
        #expect(throws: SystemError(call: "open", code: ENOENT)) {
            _ = try AppendedFile(path: "/nonexistent/folder/log")
        }
    }

    @Test func `a full disk is reported, not retried`() throws {
        let (count, failure) = write("x", to: try AppendedFile(path: "/dev/full"))
        #expect(count == 0 && failure == SystemError(call: "write", code: ENOSPC))
    }

    @Test func `a pipe that nobody empties is given up`() throws {
        let path = folder.path(of: "pipe")
        #expect(unsafe mkfifo(path, 0o600) == 0)
        let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
        defer { Sockets.close(reader) }
        let file = try AppendedFile(path: path)
        let (count, failure) = write(String(repeating: "x", count: 1 << 20), to: file)
        #expect(count > 0 && count < 1 << 20)
        #expect(failure == SystemError(call: "write", code: EAGAIN))
    }
}

private func write(_ text: String, to file: AppendedFile) -> (count: Int, failure: SystemError?) {
    unsafe Array(text.utf8).withUnsafeBytes { unsafe file.write(Bytes($0), patience: 0) }
}
