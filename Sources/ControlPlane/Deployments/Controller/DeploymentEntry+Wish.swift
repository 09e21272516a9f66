// What the replicas shall be, from what is stored: how many, of which revision, by which rules, and
// what one of them runs.

import Foundation
import Replicas
import Traffic

extension DeploymentEntry {
    func wish(at now: Date) -> FleetWish {
        var wish = FleetWish(deployment: name)
        wish.desire = record.desire
        wish.revision = record.revision
        wish.epoch = record.epoch
        wish.count = record.target(at: now)
        wish.rules = FleetRules(record.spec, count: wish.count)
        return wish
    }

    /// Why so many, for `ScalingActive` and for people.
    func targetReason(at now: Date) -> Verdict {
        let scaling = record.spec.scaling
        if let manual = record.manualScale(at: now) {
            let end = manual.until.map { " until \($0.formatted(.iso8601))" } ?? ""
            return Verdict(
                true, "ManualScale",
                "\(manual.replicas) by \(manual.by)\(end); scaling by load would not undo it")
        }
        let range = "\(scaling.minReplicas) to \(scaling.maxReplicas)"
        let more = scaling.isAutomatic && scaling.maxReplicas > scaling.minReplicas
        return Verdict(
            true, "MinReplicas",
            more
                ? "min_replicas run; scaling by load within \(range) is not active yet"
                : "min_replicas run")
    }

    /// What one replica of a revision runs.
    ///
    /// - Parameter values: of the configs and secrets that the revision names.
    /// - Returns: nil when the revision is not known any more.
    func replicaSpec(
        of row: ReplicaRow, _ values: VariableValues = VariableValues()
    ) throws -> ReplicaSpec? {
        guard let revision = revisions[row.revision] else { return nil }
        let spec = try revision.content.applied(to: record.spec)
        var variables = values.variables.merging(spec.variables) { $1 }
        variables.merge(values.secrets) { $1 }
        variables["PENSTOCK_ENVIRONMENT"] = spec.environment.rawValue
        var replica = ReplicaSpec(
            name: row.id, deployment: name, revision: row.revision, model: spec.model,
            version: spec.version, command: spec.commandLine,
            artifact: revision.content.facts.artifact?.path ?? spec.artifact,
            environment: variables, secrets: Set(values.secrets.keys))
        replica.resources = ReplicaResources(spec.resources)
        // The kind that was promised, where several would do: the books stay right.
        replica.resources.gpuType = row.gpuType ?? replica.resources.gpuType
        return replica
    }
}

extension FleetRules {
    init(_ spec: DeploymentSpec, count: Int) {
        self.init()
        let strategy = spec.strategy
        maxUnavailable = strategy.maxUnavailable.of(count, roundingUp: false)
        let surge = strategy.maxSurge.of(count, roundingUp: true)
        // Neither more nor fewer would be no way at all.
        maxSurge = maxUnavailable == 0 ? max(1, surge) : surge
        minHealthy = strategy.minHealthy.inSeconds
        startLimit = spec.lifecycle.startDeadline.inSeconds
        drainLimit = spec.lifecycle.drain.inSeconds
        graceLimit = spec.lifecycle.grace.inSeconds
        gpus = spec.resources.gpu
        gpuType = spec.resources.gpuType
    }
}

extension ReplicaResources {
    init(_ resources: Resources) {
        self.init()
        cpu = Double(resources.cpuMillis) / 1000
        memoryBytes = Int(clamping: resources.memoryBytes)
        gpuCount = resources.gpu
        gpuType = resources.gpuType
        storageBytes = resources.storageBytes.map { Int(clamping: $0) }
        bandwidthMbps = resources.bandwidthMbps
    }
}

extension Duration {
    /// For wall time, where a nanosecond more or less is nothing.
    var inSeconds: TimeInterval {
        TimeInterval(components.seconds) + TimeInterval(components.attoseconds) / 1e18
    }
}

extension ServiceObjective {
    init(_ objective: ObjectiveSpec) {
        self.init()
        errorRatio = Double(objective.errorRate) / 1000
        latencyP95Milliseconds = objective.latencyP95.map { $0.inSeconds * 1000 }
    }
}
