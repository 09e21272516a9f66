// What one replica may use, and whether that is more than a wish here: a limit that nothing holds
// is told as advisory, with the reason.

package struct ReplicaResources: Sendable, Equatable, Codable {
    /// Cores, also parts of one.
    package var cpu: Double?
    package var memoryBytes: Int?
    /// Processes and threads; `Limits.processes` when nil.
    package var processes: Int?
    package var gpuCount: Int
    /// Any when nil. "NVIDIA T4" and "Tesla T4" are the same.
    package var gpuType: String?
    package var storageBytes: Int?
    package var bandwidthMbps: Int?

    package init(
        cpu: Double? = nil, memoryBytes: Int? = nil, processes: Int? = nil, gpuCount: Int = 0,
        gpuType: String? = nil, storageBytes: Int? = nil, bandwidthMbps: Int? = nil
    ) {
        self.cpu = cpu
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.gpuCount = gpuCount
        self.gpuType = gpuType
        self.storageBytes = storageBytes
        self.bandwidthMbps = bandwidthMbps
    }

    package func isAsked(_ kind: ResourceKind) -> Bool {
        switch kind {
        case .cpu: cpu != nil
        case .memory: memoryBytes != nil
        case .processes: true
        case .gpu: gpuCount > 0
        case .storage: storageBytes != nil
        case .bandwidth: bandwidthMbps != nil
        }
    }
}

package enum ResourceKind: String, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
    case cpu, memory, processes, gpu, storage, bandwidth
}

package enum Enforcement: Sendable, Equatable, Codable, CustomStringConvertible {
    case enforced(by: Enforcer)
    case advisory(reason: String)

    package var isEnforced: Bool {
        if case .enforced = self { true } else { false }
    }

    package var description: String {
        switch self {
        case .enforced(let enforcer): "enforced by \(enforcer.sentence)"
        case .advisory(let reason): "advisory: \(reason)"
        }
    }
}

package enum Enforcer: String, Sendable, Codable {
    case controlGroupV2, controlGroupV1
    /// Penstock looks each sample period and ends what is above, while Penstock runs.
    case watch
    /// Each device is given to one replica only.
    case assignment

    var sentence: String {
        switch self {
        case .controlGroupV2: "a control group (v2)"
        case .controlGroupV1: "a control group (v1)"
        case .watch: "watching: Penstock ends a replica seen above its limit"
        case .assignment: "assignment: no device is given twice"
        }
    }
}
