// Writes the program's log on a thread of its own. Whoever reads standard error may stop reading: a
// full pipe then keeps this thread waiting and costs lines, which are counted, but holds up neither
// a loop nor the control plane.

import Foundation

final class LogWriter: @unchecked Sendable {
    /// Lines that wait: a thousand of 300 bytes are more than any burst, and no memory to speak of.
    private static let linesMax = 1024
    /// How long the end of the program waits for a reader.
    private static let patience: TimeInterval = 1

    /// The line that tells how many are missing.
    private let note: @Sendable (Int) -> String
    private let condition = NSCondition()
    // Under the condition's lock.
    private var lines: [String] = []
    private var dropped = 0
    private var isClosing = false
    private var isDone = false

    init(note: @escaping @Sendable (Int) -> String) {
        self.note = note
        let thread = Thread { [self] in run() }
        thread.name = "log"
        thread.start()
    }

    func write(_ line: String) {
        condition.withLock {
            if lines.count < Self.linesMax { lines.append(line) } else { dropped += 1 }
            condition.broadcast()
        }
    }

    /// Returns when all is written, or when nobody reads.
    func close() {
        let end = Date(timeIntervalSinceNow: Self.patience)
        condition.withLock {
            isClosing = true
            condition.broadcast()
            while !isDone, condition.wait(until: end) {}
        }
    }

    private func run() {
        while let batch = next() {
            for line in batch { Terminal.error(line) }
        }
        condition.withLock {
            isDone = true
            condition.broadcast()
        }
    }

    /// What has come since; nil at the end.
    private func next() -> [String]? {
        condition.withLock {
            while lines.isEmpty && !isClosing { condition.wait() }
            guard !lines.isEmpty else { return nil }
            defer {
                lines = []
                dropped = 0
            }
            return dropped > 0 ? lines + [note(dropped)] : lines
        }
    }
}
