// What a replica uses, over the time since the sample before.

package import Foundation

package struct UsageSample: Sendable, Equatable, Codable {
    package var at: Date
    /// Busy cores on average; 1.5 is one and a half.
    package var cores: Double
    package var memoryBytes: Int
    package var processes: Int
    /// Of its GPUs, on average; nil where nothing can tell.
    package var gpuPercent: Double?
    package var gpuMemoryBytes: Int?

    package init(
        at: Date, cores: Double, memoryBytes: Int, processes: Int, gpuPercent: Double? = nil,
        gpuMemoryBytes: Int? = nil
    ) {
        self.at = at
        self.cores = cores
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.gpuPercent = gpuPercent
        self.gpuMemoryBytes = gpuMemoryBytes
    }
}

/// What has been used since the start of a run.
package struct UsageReading: Sendable, Equatable {
    package var cpuMicroseconds: Int
    package var memoryBytes: Int
    package var processes: Int

    package init(cpuMicroseconds: Int, memoryBytes: Int, processes: Int) {
        self.cpuMicroseconds = cpuMicroseconds
        self.memoryBytes = memoryBytes
        self.processes = processes
    }
}

/// Turns readings into samples. Pure; keeps the one before.
package struct UsageMeter: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    private var last: (reading: UsageReading, at: Instant)?

    package init() {}

    package static func == (one: UsageMeter, other: UsageMeter) -> Bool {
        one.last?.reading == other.last?.reading && one.last?.at == other.last?.at
    }

    /// Nil for the first reading: there is no time to divide by yet.
    package mutating func sample(
        _ reading: UsageReading, at now: Instant, wall: Date
    ) -> UsageSample? {
        defer { last = (reading, now) }
        guard let last else { return nil }
        let elapsed = (now - last.at) / .microseconds(1)
        guard elapsed > 0 else { return nil }
        // Processes that vanished between two looks take their time with them.
        let used = max(0, reading.cpuMicroseconds - last.reading.cpuMicroseconds)
        return UsageSample(
            at: wall, cores: Double(used) / elapsed, memoryBytes: reading.memoryBytes,
            processes: reading.processes)
    }
}
