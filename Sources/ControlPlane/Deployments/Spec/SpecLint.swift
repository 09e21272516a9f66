// What is allowed and probably not meant, and what is stored but not effective yet. The answer to
// every change carries these; `:lint` tells them alone.

package enum SpecLint {
    package static func warnings(
        _ spec: DeploymentSpec, _ room: PlanFacts.Room = .init()
    ) -> [ChangePlan.Warning] {
        scaling(spec) + resources(spec) + production(spec)
    }

    private static func scaling(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        var list: [ChangePlan.Warning] = []
        let scaling = spec.scaling
        if let field = waiting(scaling) {
            list.append(
                .init(
                    "AUTOSCALING_NOT_ACTIVE",
                    "the settings are stored, and \(scaling.minReplicas) run (min_replicas) until "
                        + "scaled by hand: scaling by load is not supported yet",
                    field: "scaling_config.\(field)"))
        }
        if scaling.minReplicas == 0 {
            list.append(
                .init(
                    "SCALED_TO_ZERO",
                    "nothing runs until it is scaled by hand: waking up with a request is not "
                        + "supported yet", field: "scaling_config.min_replicas"))
        }
        if scaling.targetGPU != nil, spec.resources.gpu == 0 {
            list.append(
                .init(
                    "NO_GPU", "a replica has no GPU to measure",
                    field: "scaling_config.target_gpu_utilization"))
        }
        return list
    }

    /// The setting that says most clearly that scaling by load is wished for.
    private static func waiting(_ scaling: ScalingSpec) -> String? {
        guard scaling.isAutomatic else { return nil }
        if scaling.maxReplicas > max(1, scaling.minReplicas) { return "max_replicas" }
        if scaling.targetCPU != nil { return "target_cpu_utilization" }
        if scaling.targetMemory != nil { return "target_memory_utilization" }
        return scaling.targetGPU == nil ? nil : "target_gpu_utilization"
    }

    private static func resources(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        guard spec.resources.gpu == 0, spec.resources.gpuType != nil else { return [] }
        return [
            .init(
                "GPU_TYPE_WITHOUT_GPU", "has no effect while 'gpu' is 0",
                field: "resources.gpu_type")
        ]
    }

    private static func production(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        var list: [ChangePlan.Warning] = []
        if spec.environment == .production, spec.scaling.minReplicas == 1 {
            list.append(
                .init(
                    "SINGLE_REPLICA", "production runs on one replica: its failure is an outage",
                    field: "scaling_config.min_replicas"))
        }
        if spec.environment == .production, !spec.isMonitored {
            list.append(
                .init(
                    "NOT_MONITORED",
                    "production goes unwatched: \(spec.unmonitoredReason ?? "no reason given")",
                    field: "enable_monitoring"))
        }
        let suspects = spec.variables.keys.sorted().filter { name in
            ["PASSWORD", "SECRET", "TOKEN", "API_KEY"].contains { name.uppercased().contains($0) }
        }
        for name in suspects {
            list.append(
                .init(
                    "SECRET_IN_ENV",
                    "'\(name)' looks like a secret; 'secrets' keeps it out of answers",
                    field: "env"))
        }
        return list
    }
}
