// Sizes by name, so that nobody has to invent numbers: `instance_type: cpu.standard`. A spec keeps
// the numbers beside the name, so a later catalogue never changes what runs.

package struct InstanceCatalogue: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var name: String
        package var resources: Resources

        package init(name: String, resources: Resources) {
            self.name = name
            self.resources = resources
        }
    }

    /// Smallest first, in families.
    package let entries: [Entry]

    package init(_ entries: [Entry]) {
        self.entries = entries
    }

    package subscript(name name: String) -> Resources? {
        entries.first { $0.name == name }?.resources
    }

    package static let standard = InstanceCatalogue([
        .cpu("cpu.small", millis: 500, gibibytes: 1),
        .cpu("cpu.standard", millis: 1000, gibibytes: 2),
        .cpu("cpu.large", millis: 2000, gibibytes: 4),
        .cpu("cpu.xlarge", millis: 4000, gibibytes: 8),
        .cpu("cpu.2xlarge", millis: 8000, gibibytes: 16),
        .cpu("memory.large", millis: 2000, gibibytes: 16),
        .cpu("memory.xlarge", millis: 4000, gibibytes: 32),
        .gpu("gpu.standard", millis: 4000, gibibytes: 16, count: 1, type: "NVIDIA T4"),
        .gpu("gpu.large", millis: 8000, gibibytes: 32, count: 1, type: "NVIDIA V100"),
        .gpu("gpu.xlarge", millis: 12_000, gibibytes: 64, count: 1, type: "NVIDIA A100"),
        .gpu("gpu.2xlarge", millis: 24_000, gibibytes: 128, count: 2, type: "NVIDIA A100"),
    ])
}

extension InstanceCatalogue.Entry {
    fileprivate static func cpu(_ name: String, millis: Int, gibibytes: Int64) -> Self {
        Self(
            name: name,
            resources: Resources(cpuMillis: millis, memoryBytes: gibibytes << 30))
    }

    fileprivate static func gpu(
        _ name: String, millis: Int, gibibytes: Int64, count: Int, type: String
    ) -> Self {
        Self(
            name: name,
            resources: Resources(
                cpuMillis: millis, memoryBytes: gibibytes << 30, gpu: count, gpuType: type))
    }
}
