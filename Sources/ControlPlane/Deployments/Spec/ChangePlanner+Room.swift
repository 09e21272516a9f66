// Does it fit? Memory and GPUs are had or not; cores can be shared, so asking for more of them than
// there are slows everybody down but refuses nobody, unless one replica alone wants them.

extension ChangePlanner {
    func checkRoom(_ new: DeploymentSpec, _ plan: inout ChangePlan) {
        // Those that are replaced in place give their room to their successors.
        let needed = plan.replicas.peak - plan.replicas.now
        guard needed > 0 || plan.replaced > 0, plan.replicas.after > 0 else { return }
        let room = facts.room
        checkAlone(new.resources, room, &plan)
        guard plan.fit.fits else { return }
        checkMemory(new.resources, needed, room, &plan)
        checkGPUs(new.resources, needed, room, &plan)
        if !plan.fit.fits, needed > 0 { offerAlternatives(new, plan.replicas, &plan) }
        let cores = room.cpuMillisTaken + new.resources.cpuMillis * needed
        if room.cpuMillis > 0, cores > room.cpuMillis {
            plan.warnings.append(
                ChangePlan.Warning(
                    "CPU_OVERCOMMITTED",
                    "replicas will be promised \(Self.cores(cores)) cores; there are "
                        + "\(Self.cores(room.cpuMillis)), so they share", field: "resources.cpu"))
        }
    }

    /// What not even an empty place could hold.
    private func checkAlone(
        _ wanted: Resources, _ room: PlanFacts.Room, _ plan: inout ChangePlan
    ) {
        if room.cpuMillis > 0, wanted.cpuMillis > room.cpuMillis {
            plan.refuse(
                "one replica wants \(Self.cores(wanted.cpuMillis)) cores; there are "
                    + "\(Self.cores(room.cpuMillis)) in all")
        }
        if room.memoryBytes > 0, wanted.memoryBytes > room.memoryBytes {
            plan.refuse(
                "one replica wants \(Self.bytes(wanted.memoryBytes)) of memory; there are "
                    + "\(Self.bytes(room.memoryBytes)) in all")
        }
        let gpus = Self.gpus(wanted, room)
        if wanted.gpu > gpus.count {
            let kind = wanted.gpuType.map { " \($0)" } ?? ""
            let there = room.gpus.isEmpty ? "none" : "\(gpus.count) of that kind"
            plan.refuse("one replica wants \(wanted.gpu)\(kind) GPU; there is \(there)")
        }
    }

    private func checkMemory(
        _ wanted: Resources, _ needed: Int, _ room: PlanFacts.Room, _ plan: inout ChangePlan
    ) {
        let free = room.memoryBytes - room.memoryBytesTaken
        let (more, isTooMuch) = wanted.memoryBytes.multipliedReportingOverflow(by: Int64(needed))
        guard room.memoryBytes > 0, isTooMuch || more > free else { return }
        plan.refuse(
            "\(Counted.words(needed, "more replica")) of \(Self.bytes(wanted.memoryBytes)) of "
                + "memory; \(Self.bytes(max(0, free))) are free")
    }

    private func checkGPUs(
        _ wanted: Resources, _ needed: Int, _ room: PlanFacts.Room, _ plan: inout ChangePlan
    ) {
        guard wanted.gpu > 0 else { return }
        let gpus = Self.gpus(wanted, room)
        let free = gpus.count - gpus.taken
        guard wanted.gpu * needed > free else { return }
        plan.refuse(
            "\(Counted.words(needed, "more replica")) of \(Counted.words(wanted.gpu, "GPU")); "
                + "\(max(0, free)) of that kind free")
    }

    private func offerAlternatives(
        _ new: DeploymentSpec, _ replicas: ChangePlan.ReplicaForecast, _ plan: inout ChangePlan
    ) {
        guard plan.replaced > 0 else {
            plan.fit.alternatives.append("fewer replicas, or smaller ones")
            return
        }
        if replicas.after > 1 {
            plan.fit.alternatives.append(
                "strategy {\"type\": \"rolling\", \"max_surge\": 0, \"max_unavailable\": 1}: "
                    + "replaces in place, with one replica fewer meanwhile")
        }
        plan.fit.alternatives.append("stop the deployment, change it, start it: with an outage")
    }

    /// Of the wanted type, or of all.
    private static func gpus(
        _ wanted: Resources, _ room: PlanFacts.Room
    ) -> PlanFacts.Room.GPUs {
        let fitting = room.gpus.filter { type, _ in
            wanted.gpuType.map { GPUType.isSame($0, type) } ?? true
        }
        return fitting.values.reduce(into: PlanFacts.Room.GPUs(count: 0, taken: 0)) { sum, gpus in
            sum.count += gpus.count
            sum.taken += gpus.taken
        }
    }

    static func cores(_ millis: Int) -> String {
        millis % 1000 == 0 ? "\(millis / 1000)" : "\(Double(millis) / 1000)"
    }

    static func bytes(_ bytes: Int64) -> String {
        let units: [(String, Int64)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        guard let (unit, size) = units.first(where: { bytes >= $0.1 }) else { return "\(bytes) B" }
        let tenths = bytes * 10 / size
        return tenths % 10 == 0
            ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}

/// `T4`, `nvidia-t4` and `NVIDIA T4` are one kind; so is what a driver adds behind it.
package enum GPUType {
    package static func isSame(_ wanted: String, _ found: String) -> Bool {
        let (wanted, found) = (plain(wanted), plain(found))
        return found == wanted || found.starts(with: wanted)
    }

    private static func plain(_ type: String) -> [Substring] {
        let words = type.lowercased().split { !$0.isLetter && !$0.isNumber }
        let makers: Set<Substring> = ["nvidia", "amd", "tesla"]
        return Array(words.drop { makers.contains($0) })
    }
}

extension ChangePlan {
    fileprivate mutating func refuse(_ reason: String) {
        fit.fits = false
        fit.reasons.append(reason)
    }
}
