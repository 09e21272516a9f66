// Asks nvidia-smi, where there is one, which GPUs there are and how busy they are. It may hang when
// a driver does, so it is given a few seconds and then killed; no answer is no GPUs.

package struct GPUUsage: Sendable, Equatable {
    package var percent: Double
    package var memoryBytes: Int

    static let question = [
        "--query-gpu=uuid,utilization.gpu,memory.used", "--format=csv,noheader,nounits",
    ]

    /// Lines such as `GPU-8f2c…, 37, 1024`, by UUID; a device that cannot tell says `[N/A]`.
    package static func read(answer: String) -> [String: GPUUsage] {
        var result: [String: GPUUsage] = [:]
        for line in answer.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ",").map { $0.filter { $0 != " " } }
            guard fields.count == 3, let percent = Double(fields[1]), let mebibytes = Int(fields[2])
            else { continue }
            result[fields[0]] = GPUUsage(percent: percent, memoryBytes: mebibytes * 1024 * 1024)
        }
        return result
    }
}

struct NvidiaQuery: Sendable {
    let search: ProgramSearch

    func inventory() -> GPUInventory {
        answer(GPUInventory.question).map { GPUInventory(answer: $0) } ?? .none
    }

    func usage() -> [String: GPUUsage] {
        answer(GPUUsage.question).map(GPUUsage.read) ?? [:]
    }

    private func answer(_ arguments: [String]) -> String? {
        // Not to be found is not to be there.
        guard let program = try? search.program("nvidia-smi") else { return nil }
        return Kernel.output(of: program, arguments, bytesMax: Limits.toolBytes)
    }
}
