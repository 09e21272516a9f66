// Which GPUs the place has: detected, or declared in the configuration. Pure but for nothing: who
// asks nvidia-smi hands its answer in.

package struct GPUDevice: Sendable, Equatable, Codable {
    /// What CUDA_VISIBLE_DEVICES takes: a UUID when detected, an index when declared.
    package var id: String
    package var type: String
    package var memoryBytes: Int

    package init(id: String, type: String, memoryBytes: Int) {
        self.id = id
        self.type = type
        self.memoryBytes = memoryBytes
    }
}

package struct GPUInventory: Sendable, Equatable {
    package enum Source: String, Sendable {
        case none, declared, detected
    }

    package var devices: [GPUDevice]
    package var source: Source

    package static let none = GPUInventory(devices: [], source: .none)

    package init(devices: [GPUDevice], source: Source) {
        self.devices = devices
        self.source = source
    }

    /// Numbered from 0 in this order.
    package static func declared(_ devices: [(type: String, memoryBytes: Int)]) -> GPUInventory {
        let devices = devices.enumerated().map { index, device in
            GPUDevice(id: "\(index)", type: device.type, memoryBytes: device.memoryBytes)
        }
        return GPUInventory(devices: devices, source: devices.isEmpty ? .none : .declared)
    }

    package static func declared(type: String, count: Int, memoryBytes: Int) -> GPUInventory {
        declared(Array(repeating: (type, memoryBytes), count: max(0, count)))
    }

    /// The question to nvidia-smi whose answer `init(answer:)` reads.
    static let question = [
        "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits",
    ]

    /// Lines such as `GPU-8f2c…, Tesla T4, 15360`; memory is in MiB.
    package init(answer: String) {
        devices = answer.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: ",").map {
                $0.trimmingPrefix { $0 == " " }
            }
            guard fields.count == 3, fields[0].hasPrefix("GPU-") else { return nil }
            let mebibytes = Int(fields[2].filter(\.isNumber)) ?? 0
            return GPUDevice(
                id: String(fields[0]), type: String(fields[1]),
                memoryBytes: mebibytes * 1024 * 1024)
        }
        source = devices.isEmpty ? .none : .detected
    }
}
