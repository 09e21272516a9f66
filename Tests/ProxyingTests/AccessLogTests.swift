// The access log's writer: nothing handed over is lost while the file takes it, nothing ever waits,
// and what is lost is counted. It needs real files, as there is nothing else to it.

import Fixtures
import Glibc
import Proxying
import Reactor
import Synchronization
import Testing

@Suite struct AccessLogTests {
    private let folder: ScratchFolder

    init() throws {
        folder = try .made()
    }

    private var path: String { folder.path(of: "log") }

    @Test func `every line of every loop is in the file after closing`() throws {
        let writer = try AccessLogWriter(path: path, loops: 3)
        let loops = (0..<3).map { loop in
            let ring = writer.ring(loop: loop)
            return LoopThread.start(name: "loop") {
                for number in 0..<2000 { ring.append("\(loop) \(number)\n") }
            }
        }
        for loop in loops { loop.join() }
        writer.close()
        let lines = try folder.text(of: "log").split(separator: "\n")
        #expect(lines.count == 6000 && writer.dropped == 0)
        for loop in 0..<3 {
            let own = lines.filter { $0.hasPrefix("\(loop) ") }
            #expect(own.map(String.init) == (0..<2000).map { "\(loop) \($0)" })
        }
    }

    @Test func `a line reaches its reader without another one or a close`() throws {
        #expect(unsafe mkfifo(path, 0o600) == 0)
        let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
        defer { Sockets.close(reader) }
        let writer = try AccessLogWriter(path: path, loops: 1)
        defer { writer.close() }
        for line in ["first\n", "second\n"] {
            writer.ring(loop: 0).append(line)
            #expect(try next(from: reader) == line)
        }
    }

    @Test func `a full disk costs lines, which are counted, and is reported once`() throws {
        let reports = Lock<[String]>([])
        let writer = try AccessLogWriter(path: "/dev/full", loops: 2) { line in
            reports.withLock { $0.append(line) }
        }
        for number in 0..<50 { writer.ring(loop: number % 2).append("line\n") }
        writer.close()
        #expect(writer.dropped == 50)
        let lines = reports.withLock { $0 }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("write: No space left on device (28)") == true)
    }

    @Test func `a reader that has gone costs lines, not the process`() throws {
        #expect(unsafe mkfifo(path, 0o600) == 0)
        let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
        let writer = try AccessLogWriter(path: path, loops: 1)
        Sockets.close(reader)
        writer.ring(loop: 0).append("lost\n")
        writer.close()
        #expect(writer.dropped == 1)
    }

    @Test func `a ring that nobody empties drops and counts`() throws {
        let writer = try AccessLogWriter(path: path, loops: 1)
        writer.close()
        let line = String(repeating: "x", count: 1023) + "\n"
        let taken = (0..<1030).filter { _ in writer.ring(loop: 0).append(line) }.count
        #expect(taken == 1024 && writer.dropped == 6)
    }

    @Test func `after a rotation the path holds a new file`() throws {
        let writer = try AccessLogWriter(path: path, loops: 1)
        writer.ring(loop: 0).append("before\n")
        #expect(unsafe rename(path, path + ".1") == 0)
        writer.reopen()
        writer.ring(loop: 0).append("after\n")
        writer.close()
        #expect(unsafe access(path, F_OK) == 0)
        #expect(try folder.text(of: "log.1") + folder.text(of: "log") == "before\nafter\n")
    }

    @Test func `a path that cannot be opened is an error at once`() {
        #expect(throws: SystemError(call: "open", code: ENOENT)) {
            _ = try AccessLogWriter(path: "/nonexistent/folder/log", loops: 1)
        }
    }

    @Test func `closing twice is closing once`() throws {
        let writer = try AccessLogWriter(path: path, loops: 1)
        writer.close()
        writer.close()
    }
}

extension AccessLogRing {
    @discardableResult
    fileprivate func append(_ text: String) -> Bool {
        unsafe Array(text.utf8).withUnsafeBytes { unsafe append(Bytes($0)) }
    }
}

/// What a pipe brings next; empty after 10 s without anything.
private func next(from descriptor: Int32) throws -> String {
    var poller = try Poller()
    try poller.addLevelTriggered(descriptor, token: 0)
    guard try poller.wait(milliseconds: 10_000) == 1 else { return "" }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer[..<max(0, count)], as: UTF8.self)
}
