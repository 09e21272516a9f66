// The access log's thread. Loops append finished lines to rings of their own and never wait; this
// thread gathers them and writes large pieces. What cannot be written is dropped and counted: a
// full disk or a stopped reader costs log lines, never requests.

package import Reactor
internal import Synchronization

/// A loop's end of the log: a plain value. It must not be used after the writer has gone.
package struct AccessLogRing: Sendable {
    private let ring: ByteRing

    fileprivate init(_ ring: ByteRing) {
        self.ring = ring
    }

    /// Takes a whole line, or counts it as dropped and answers false.
    @discardableResult
    package func append(_ line: Bytes) -> Bool {
        ring.append(line)
    }
}

package final class AccessLogWriter: Sendable {
    private let shared: AccessLogShared
    private let thread: LoopThread

    /// `path` "-" is standard output. `report` gets a line when writing begins to fail and when it
    /// works again; it is called on the writer's thread.
    package init(
        path: String, loops: Int, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SystemError) {
        let file = try AppendedFile(path: path)
        let shared = AccessLogShared(
            path: path, loops: loops, doorbell: try Doorbell(), report: report)
        self.shared = shared
        thread = LoopThread.start(name: "access log") {
            var work = AccessLogWork(shared: shared, file: file)
            work.run()
        }
    }

    deinit {
        close()
    }

    package func ring(loop: Int) -> AccessLogRing {
        AccessLogRing(shared.rings[loop])
    }

    /// Lines that found no room, or could not be written.
    package var dropped: UInt64 {
        shared.rings.reduce(shared.lost.load(ordering: .relaxed)) { $0 &+ $1.refused }
    }

    /// Opens the path anew, after the file was renamed. Returns at once.
    package func reopen() {
        shared.wantsReopen.store(true, ordering: .releasing)
        shared.doorbell.ring()
    }

    /// Writes what has been appended so far and ends the thread. Later lines are lost.
    package func close() {
        shared.isClosing.store(true, ordering: .releasing)
        shared.doorbell.ring()
        thread.join()
    }
}

/// What both sides see. Frees the rings when the writer and its thread are gone.
private final class AccessLogShared: Sendable {
    let path: String
    let doorbell: Doorbell
    let rings: [ByteRing]
    let report: @Sendable (String) -> Void
    let wantsReopen = Atomic<Bool>(false)
    let isClosing = Atomic<Bool>(false)
    let lost = Atomic<UInt64>(0)

    init(
        path: String, loops: Int, doorbell: Doorbell, report: @escaping @Sendable (String) -> Void
    ) {
        self.path = path
        self.doorbell = doorbell
        self.report = report
        rings = (0..<loops).map { _ in
            ByteRing(capacity: AccessLogLimits.ringBytes, doorbell: doorbell)
        }
    }

    deinit {
        for ring in rings { ring.free() }
    }
}

/// The thread's own state.
private struct AccessLogWork {
    private let shared: AccessLogShared
    private var file: AppendedFile
    private var failure: SystemError?
    /// The last piece ended within a line: what follows must begin on a new one.
    private var isMidLine = false

    init(shared: AccessLogShared, file: AppendedFile) {
        self.shared = shared
        self.file = file
    }

    mutating func run() {
        while true {
            // Read first: lines appended before `close` are then seen by the drain below.
            let isClosing = shared.isClosing.load(ordering: .acquiring)
            reopenIfWanted()
            let moved = drainAll()
            if isClosing { return }
            sleep(afterMoving: moved)
        }
    }

    /// While lines flow they are gathered for a while; otherwise the first one wakes the thread.
    private mutating func sleep(afterMoving moved: Bool) {
        for ring in shared.rings { ring.arm(moved ? .whenHalfFull : .whenNotEmpty) }
        if !moved && shared.rings.contains(where: { !$0.isEmpty }) { return }
        shared.doorbell.wait(milliseconds: moved ? AccessLogLimits.gatherMilliseconds : -1)
    }

    private mutating func drainAll() -> Bool {
        var moved = false
        for ring in shared.rings {
            let count = ring.drain { write($0) }
            if count > 0 { moved = true }
        }
        return moved
    }

    private mutating func write(_ bytes: Bytes) {
        if isMidLine && failure != nil {
            let (count, _) = file.write(Bytes("\n"), patience: AccessLogLimits.patienceMilliseconds)
            if count == 1 { isMidLine = false }
        }
        let (count, error) = file.write(bytes, patience: AccessLogLimits.patienceMilliseconds)
        if count > 0 { isMidLine = bytes.slice(from: count - 1, count: 1).lines == 0 }
        if count < bytes.count {
            shared.lost.add(bytes.dropping(count).lines, ordering: .relaxed)
        }
        note(error)
    }

    /// Says once that writing fails, and once that it works again.
    private mutating func note(_ error: SystemError?) {
        if let error, failure == nil {
            shared.report("access log \(shared.path): \(error); lines are dropped until it works")
        } else if error == nil, failure != nil {
            let lost = shared.lost.load(ordering: .relaxed)
            shared.report("access log \(shared.path): works again, \(lost) lines were dropped")
        }
        failure = error
    }

    private mutating func reopenIfWanted() {
        guard shared.wantsReopen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        do throws(SystemError) {
            file = try AppendedFile(path: shared.path)
            isMidLine = false
        } catch {
            shared.report("access log \(shared.path): \(error); the old file stays in use")
        }
    }
}

extension Bytes {
    /// Line feeds in these bytes.
    fileprivate var lines: UInt64 {
        var count: UInt64 = 0
        for index in 0..<self.count where unsafe buffer[index] == 0x0a { count += 1 }
        return count
    }
}
