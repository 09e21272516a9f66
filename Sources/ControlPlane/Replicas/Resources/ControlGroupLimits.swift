// Limits as the files of a control group say them. Pure: a limit goes in, file names and their
// contents come out.

package struct ControlGroupLimits: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var file: String
        package var value: String
        /// Some kernels lack the file; then the limit still holds in the main.
        package var isOptional = false
    }

    /// 100 ms, the kernel's own; short enough that a throttled replica still answers probes.
    private static let periodMicroseconds = 100_000

    package static func entries(
        _ kind: ResourceKind, of resources: ReplicaResources, version: Int
    ) -> [Entry] {
        switch kind {
        case .cpu: resources.cpu.map { cpu($0, version) } ?? []
        case .memory: resources.memoryBytes.map { memory($0, version) } ?? []
        case .processes:
            [Entry(file: "pids.max", value: "\(resources.processes ?? Limits.processes)")]
        case .gpu, .storage, .bandwidth: []
        }
    }

    private static func cpu(_ cores: Double, _ version: Int) -> [Entry] {
        // The kernel takes no quota below 1 ms.
        let quota = max(1000, Int((cores * Double(periodMicroseconds)).rounded()))
        if version == 2 {
            return [Entry(file: "cpu.max", value: "\(quota) \(periodMicroseconds)")]
        }
        return [
            Entry(file: "cpu.cfs_period_us", value: "\(periodMicroseconds)"),
            Entry(file: "cpu.cfs_quota_us", value: "\(quota)"),
        ]
    }

    /// Without swap, and all processes of the replica together: half a replica is of no use.
    private static func memory(_ bytes: Int, _ version: Int) -> [Entry] {
        if version == 2 {
            return [
                Entry(file: "memory.max", value: "\(bytes)"),
                Entry(file: "memory.swap.max", value: "0", isOptional: true),
                Entry(file: "memory.oom.group", value: "1", isOptional: true),
            ]
        }
        return [
            Entry(file: "memory.limit_in_bytes", value: "\(bytes)"),
            Entry(file: "memory.memsw.limit_in_bytes", value: "\(bytes)", isOptional: true),
        ]
    }

    package static func controller(_ kind: ResourceKind) -> String? {
        switch kind {
        case .cpu: "cpu"
        case .memory: "memory"
        case .processes: "pids"
        case .gpu, .storage, .bandwidth: nil
        }
    }

    /// `oom_kill 2` of memory.events (v2) or memory.oom_control (v1).
    package static func outOfMemoryKills(_ events: String) -> Int {
        number("oom_kill", in: events) ?? 0
    }

    /// `usage_usec 12` of cpu.stat, `inactive_file 12` of memory.stat.
    package static func number(_ key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == key { return Int(parts[1]) }
        }
        return nil
    }
}
