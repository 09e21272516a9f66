// What to read of a replica's output, and what comes back. Offsets count bytes from the beginning
// of a run and stay true while old segments are removed.

package import Foundation

package struct LogQuery: Sendable, Equatable {
    package enum Run: Sendable, Equatable {
        case current, previous
        case number(Int)
    }

    package enum Start: Sendable, Equatable {
        /// The oldest that is kept.
        case first
        case offset(UInt64)
        case last(lines: Int)
        case since(Date)
    }

    package var deployment: String
    package var replica: String
    package var run: Run
    package var from: Start
    package var maxLines: Int
    package var maxBytes: Int

    package init(
        deployment: String, replica: String, run: Run = .current, from: Start = .first,
        maxLines: Int = Limits.logPageLines, maxBytes: Int = Limits.logPageBytes
    ) {
        self.deployment = deployment
        self.replica = replica
        self.run = run
        self.from = from
        self.maxLines = max(1, min(maxLines, Limits.logPageLines))
        self.maxBytes = max(1, min(maxBytes, Limits.logPageBytes))
    }
}

package struct LogPage: Sendable, Equatable {
    package var run: Int
    package var lines: [LogLine]
    /// Where the next page begins.
    package var next: UInt64
    /// What is kept: the oldest byte, and the end at the time of reading.
    package var first: UInt64
    package var end: UInt64

    package init(run: Int, lines: [LogLine], next: UInt64, first: UInt64, end: UInt64) {
        self.run = run
        self.lines = lines
        self.next = next
        self.first = first
        self.end = end
    }

    package var isComplete: Bool { next >= end }
}
