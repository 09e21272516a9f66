// Which process a replica is, on disk, so that what a crashed Penstock left behind can be found.
// A process is the same only if boot, number and start time all are: numbers are used again.

import Foundation

struct ReplicaRecord: Codable, Equatable, Sendable {
    var process: Int32
    /// Clock ticks after boot, field 22 of /proc/PID/stat.
    var startTicks: UInt64
    var boot: String

    /// The process as it is now; nil when there is none.
    init?(process: Int32) {
        // Gone between two reads is gone.
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let ticks = Self.startTicks(stat: stat), let boot = Self.currentBoot()
        else { return nil }
        self.process = process
        startTicks = ticks
        self.boot = boot
    }

    init?(reading path: String) {
        // A torn or foreign file names no process, so nothing is done about it.
        guard let bytes = FileManager.default.contents(atPath: path),
            let record = try? JSONDecoder().decode(ReplicaRecord.self, from: bytes)
        else { return nil }
        self = record
    }

    func write(to path: String) throws {
        try JSONEncoder().encode(self).write(to: URL(filePath: path), options: .atomic)
    }

    /// The name before it may hold spaces and parentheses: count from the last one.
    static func startTicks(stat: String) -> UInt64? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }

    private static func currentBoot() -> String? {
        // Without it no process is ever taken for a known one.
        try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
