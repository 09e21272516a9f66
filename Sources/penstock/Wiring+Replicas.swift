// What the replica runtime is given: the GPUs and control groups that the configuration declares
// for this machine, or nothing, and then it looks for itself.

import Replicas
import Settings

extension Wiring {
    static func runtimeOptions(_ machine: MachineSettings) -> ProcessRuntimeOptions {
        let inventory = machine.gpus.map { gpus in
            GPUInventory.declared(
                gpus.flatMap { gpu in
                    Array(repeating: (gpu.type, gpu.memoryBytes), count: gpu.count)
                })
        }
        let groups: ControlGroupChoice =
            switch machine.controlGroups {
            case .automatic: .automatic
            case .off: .off
            case .under(let path): .under(path)
            }
        return ProcessRuntimeOptions(gpus: inventory, controlGroups: groups)
    }
}
