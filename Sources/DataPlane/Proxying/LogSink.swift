// A loop's end of the access log: which requests are written, and the ring they are written to.

import Reactor

struct LogSink: ~Copyable {
    private let ring: AccessLogRing?
    /// Of 2³², how many requests are logged; failures always are.
    private let share: UInt64
    private var line = AccessLogLine()

    init(ring: AccessLogRing?, sample: Double) {
        self.ring = ring
        share = UInt64(max(0, min(1, sample)) * 4_294_967_296)
    }

    var isOn: Bool { ring != nil }

    func isWanted(status: UInt16, draw random: inout RandomSource) -> Bool {
        status >= 500 || share == 4_294_967_296 || random.next() >> 32 < share
    }

    mutating func write(_ record: borrowing AccessLogRecord) {
        // A full ring drops the line and counts it: the log never holds a request up.
        _ = ring?.append(line.format(record))
    }
}
