// Asks nvidia-smi, where there is one, which GPUs there are and how busy they are. It may hang when
// a driver does, so it is given a few seconds and then killed; no answer is no GPUs.

import Dispatch
import Foundation

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
        guard let program = try? search.program("nvidia-smi") else { return nil }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        // Not to be started is not to be there.
        guard (try? process.run()) != nil else { return nil }
        let killer = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 5, execute: killer)
        defer { killer.cancel() }
        // Some hundred bytes a device.
        let bytes = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
