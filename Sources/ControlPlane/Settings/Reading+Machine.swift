// `machine:` what this host has for replicas and may be used to limit them, where Penstock should
// not find out by itself.

extension Reading {
    func machine(_ section: Section) -> MachineSettings? {
        var machine = MachineSettings()
        section.assign("gpus", &machine.gpus) { value in
            value.list("GPU types", count: 0...Limits.gpuTypes)?.compactMap { $0.section(gpus) }
        }
        section.assign("control_groups", &machine.controlGroups, controlGroups)
        return machine
    }

    private func gpus(_ section: Section) -> GPUSettings? {
        let type = section.required("type", "as deployments ask for it, such as NVIDIA T4")
        let count = section.required("count", "how many of them this machine has")
        var gpus = GPUSettings(type: type?.text("a type") ?? "", count: 0, memoryBytes: 0)
        gpus.count = count?.whole(1...Limits.gpus) ?? 0
        section.assign("memory", &gpus.memoryBytes) {
            $0.size(1...1_099_511_627_776, spelled: "up to 1TiB").map(Int.init)
        }
        return gpus
    }

    private func controlGroups(_ value: Value) -> ControlGroupSettings? {
        switch value.text("auto, off or a path") {
        case nil: return nil
        case "auto": return .automatic
        case "off": return .off
        case let path? where path.hasPrefix("/"): return .under(path)
        case let word?:
            value.refuse("'\(word)' is not allowed; allowed: auto, off, an absolute path")
            return nil
        }
    }
}
