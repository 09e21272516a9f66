// Does it fit? Memory and GPUs are had or not; cores can be shared, so asking for more of them than
// there are slows everybody down but refuses nobody, unless one replica alone wants them.

import Notation

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
        // A replica's GPUs are all of one kind.
        let most = Self.gpus(wanted, room).map(\.count).max() ?? 0
        if wanted.gpu > most {
            let kind = wanted.gpuType.map { " \($0)" } ?? ""
            let there = room.gpus.isEmpty || most == 0 ? "none" : "\(most)"
            plan.refuse(
                "one replica wants \(wanted.gpu)\(kind) GPU\(wanted.gpu == 1 ? "" : "s"); "
                    + "there \(most > 1 ? "are" : "is") \(there)"
                    + (room.gpus.isEmpty ? "" : " of that kind"))
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
        let free = Self.gpus(wanted, room).map { max(0, $0.count - $0.taken) }
        let places = free.reduce(0) { $0 + $1 / wanted.gpu }
        guard needed > places else { return }
        plan.refuse(
            "\(Counted.words(needed, "more replica")) of \(Counted.words(wanted.gpu, "GPU")); "
                + "\(free.reduce(0, +)) of that kind free")
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

    /// Of each kind that is the wanted one.
    private static func gpus(_ wanted: Resources, _ room: PlanFacts.Room) -> [PlanFacts.Room.GPUs] {
        room.gpus.filter { type, _ in wanted.gpuType.map { GPUType.isSame($0, type) } ?? true }
            .map(\.value)
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

extension ChangePlan {
    fileprivate mutating func refuse(_ reason: String) {
        fit.fits = false
        fit.reasons.append(reason)
    }
}
