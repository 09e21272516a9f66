// What replicas use: one look at all processes a period, better numbers from control groups where
// there are any. Where no control group holds the memory limit, the look does.

import CLinux
import Dispatch
import Foundation
import Glibc
import Guarding

extension ProcessRuntime {
    func startSampling() {
        let period = options.samplePeriod
        books.withLock { books in
            guard books.sampling == nil else { return }
            books.sampling = Task { [weak self] in
                while !Task.isCancelled {
                    // Cancelled: the loop's condition ends it.
                    try? await Task.sleep(for: period)
                    guard let self, !Task.isCancelled else { return }
                    await self.sample()
                }
            }
        }
    }

    /// One look, also told as facts.
    package func sample() async {
        let runs = books.withLock { Array($0.live.values) }
        guard !runs.isEmpty else { return }
        let table = Kernel.processes()
        let shims = Dictionary(
            table.processes.map { ($0.process, $0) }, uniquingKeysWith: { first, _ in first })
        let gpus = await gpuUsage(of: runs)
        for live in runs {
            guard let shim = shims[live.shim.process], shim.startTicks == live.shim.startTicks
            else { continue }
            var reading = table.reading(
                shim: shim, ticksPerSecond: Kernel.ticksPerSecond, pageBytes: Kernel.pageBytes)
            let members = table.descendants(of: live.shim.process)
            live.notes.withLock { notes in
                notes.members = members.map {
                    ProcessIdentity(
                        process: $0.process, startTicks: $0.startTicks, boot: Kernel.boot)
                }
            }
            let better = groups.reading(live.stored.groups)
            reading.cpuMicroseconds = better.cpuMicroseconds ?? reading.cpuMicroseconds
            let resident = reading.memoryBytes
            reading.memoryBytes = better.memoryBytes ?? estimate(resident, of: live, members)
            tell(reading, live, gpus)
            reading.memoryBytes = better.memoryBytes ?? resident
            await hold(live, reading, members)
        }
    }

    /// What several processes share counts once.
    private func estimate(_ resident: Int, of live: LiveRun, _ members: [ProcessStat]) -> Int {
        let largest = (members.map(\.residentPages).max() ?? 0) * Kernel.pageBytes
        let now = ContinuousClock.now
        var memory = live.notes.withLock { $0.memory }
        if memory.wantsExact(resident: resident, largest: largest, at: now) {
            memory.note(exact: Self.exactBytes(of: members), resident: resident, at: now)
            live.notes.withLock { $0.memory = memory }
        }
        return memory.bytes(resident: resident, largest: largest)
    }

    private func tell(_ reading: UsageReading, _ live: LiveRun, _ gpus: [String: GPUUsage]) {
        let sample = live.notes.withLock { notes in
            notes.meter.sample(reading, at: .now, wall: Date())
        }
        guard var sample else { return }
        let own = live.record.gpus.compactMap { gpus[$0] }
        if !own.isEmpty {
            sample.gpuPercent = own.reduce(0) { $0 + $1.percent } / Double(own.count)
            sample.gpuMemoryBytes = own.reduce(0) { $0 + $1.memoryBytes }
        }
        live.run.report(.usage(sample))
    }

    /// Resident memory counts what processes share once for each, and so is never too little:
    /// beyond the limit the exact count is asked for before anything is ended.
    private func hold(_ live: LiveRun, _ reading: UsageReading, _ members: [ProcessStat]) async {
        guard let limit = live.stored.resources.memoryBytes, reading.memoryBytes > limit,
            live.record.enforcement[.memory] == .enforced(by: .watch)
        else { return }
        let exact = Self.exactBytes(of: members)
        if exact > limit { await endForMemory(live, residentBytes: exact) }
    }

    /// Shared pages in proportion. The kernel walks all pages for it.
    private static func exactBytes(of members: [ProcessStat]) -> Int {
        members.reduce(0) { sum, process in
            let text = Kernel.text("/proc/\(process.process)/smaps_rollup") ?? ""
            return sum + proportionalBytes(text)
        }
    }

    /// `Pss:   1234 kB`.
    static func proportionalBytes(_ rollup: String) -> Int {
        for line in rollup.split(separator: "\n") where line.hasPrefix("Pss:") {
            return (Int(line.filter(\.isNumber)) ?? 0) * 1024
        }
        return 0
    }

    private func gpuUsage(of runs: [LiveRun]) async -> [String: GPUUsage] {
        let isDetected = books.withLock { $0.gpus.inventory.source == .detected }
        guard isDetected, runs.contains(where: { !$0.record.gpus.isEmpty }) else { return [:] }
        let query = NvidiaQuery(search: search)
        // Off this thread: the tool may take seconds.
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: query.usage()) }
        }
    }
}
