// What is allowed and probably not meant, and what is stored but not effective yet. The answer to
// every change carries these; `:lint` tells them alone.

package enum SpecLint {
    package static func warnings(
        _ spec: DeploymentSpec, _ room: PlanFacts.Room = .init()
    ) -> [ChangePlan.Warning] {
        scaling(spec) + resources(spec) + strategy(spec) + production(spec)
    }

    private static func scaling(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        var list: [ChangePlan.Warning] = []
        let scaling = spec.scaling
        if scaling.isAutomatic, scaling.maxReplicas > max(1, scaling.minReplicas) {
            list.append(
                .init(
                    "AUTOSCALING_NOT_ACTIVE",
                    "the settings are stored, and \(scaling.minReplicas) run (min_replicas) until "
                        + "scaled by hand: scaling by load is not supported yet",
                    field: "scaling_config.max_replicas"))
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

    private static func resources(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        guard spec.resources.gpu == 0, spec.resources.gpuType != nil else { return [] }
        return [
            .init(
                "GPU_TYPE_WITHOUT_GPU", "has no effect while 'gpu' is 0",
                field: "resources.gpu_type")
        ]
    }

    private static func strategy(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        var list: [ChangePlan.Warning] = []
        if spec.strategy.kind != .rolling {
            list.append(
                .init(
                    "STRATEGY_NOT_ACTIVE",
                    "it is stored; until rollouts are supported, replicas are replaced by rolling",
                    field: "strategy.type"))
        }
        if spec.scaling.minReplicas == 1, spec.environment == .production {
            list.append(
                .init(
                    "SINGLE_REPLICA", "production runs on one replica: its failure is an outage",
                    field: "scaling_config.min_replicas"))
        }
        return list
    }

    private static func production(_ spec: DeploymentSpec) -> [ChangePlan.Warning] {
        var list: [ChangePlan.Warning] = []
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
