// Counts commits, and in debug builds kills the process at one of them, so that tests can cut
// Penstock off on either side of any commit. Release builds know no such thing.

import Foundation
import Glibc

struct CommitCounter: Sendable {
    private var count = 0
    #if DEBUG
        private let fault = Fault()
    #endif

    mutating func begins() {
        count += 1
        #if DEBUG
            fault.strike("before", count)
        #endif
    }

    func ended() {
        #if DEBUG
            fault.strike("after", count)
        #endif
    }
}

#if DEBUG
    /// `PENSTOCK_CRASH_AT_COMMIT=7:before`, counted from the start of the process.
    private struct Fault: Sendable {
        private let side: String
        private let number: Int

        init() {
            let text = ProcessInfo.processInfo.environment["PENSTOCK_CRASH_AT_COMMIT"] ?? ""
            let parts = text.split(separator: ":")
            number = parts.first.flatMap { Int($0) } ?? 0
            side = parts.count == 2 ? String(parts[1]) : ""
        }

        func strike(_ side: String, _ count: Int) {
            if number > 0, count == number, side == self.side { raise(SIGKILL) }
        }
    }
#endif
