// The rows about replicas: what each gets, how many there are, how requests reach them, and how
// they come and go.

import Notation
import Traffic

extension DeploymentFields {
    static let resources: [Field] = [
        Field(
            "instance_type", \.instanceType, Form.name.optional, .restart, example: "cpu.standard",
            "A size from the catalogue, instead of `resources`."),
        Field(
            "resources.cpu", \.resources.cpuMillis, .cores, .restart, required: true,
            aliases: ["cpu_cores"], example: 1, "Processor cores of a replica."),
        Field(
            "resources.memory", \.resources.memoryBytes,
            .size(Limits.memoryBytes, spelled: "1MiB to 64TiB"), .restart, required: true,
            aliases: [
                Field.Alias(name: "memory_gb", scale: 1e9),
                Field.Alias(name: "memory_mb", scale: 1e6),
                Field.Alias(name: "memory_bytes", scale: 1),
            ],
            example: "512MiB", "Memory of a replica."),
        Field(
            "resources.gpu", \.resources.gpu, .whole(0...64), .restart, aliases: ["gpu_count"],
            example: 1, "GPUs of a replica."),
        Field(
            "resources.gpu_type", \.resources.gpuType, Form.text(1...64).optional, .restart,
            example: "NVIDIA T4", "Which GPUs; any without it."),
        Field(
            "resources.storage", \.resources.storageBytes,
            Form.size(Limits.storageBytes, spelled: "1MiB to 1PiB").optional, .restart,
            aliases: [
                Field.Alias(name: "storage_gb", scale: 1e9),
                Field.Alias(name: "storage_bytes", scale: 1),
            ],
            example: "1GB", "Disk a replica may fill."),
        Field(
            "resources.bandwidth_mbps", \.resources.bandwidthMbps,
            Form.whole(1...1_000_000, unit: " Mbit/s").optional, .restart, example: 100,
            "Network bandwidth of a replica."),
    ]

    static let scaling: [Field] = [
        Field(
            "scaling_config.min_replicas", \.scaling.minReplicas, .whole(0...Limits.replicas),
            .live,
            aliases: ["min"], example: 2, "Never fewer replicas than this, unless scaled by hand."),
        Field(
            "scaling_config.max_replicas", \.scaling.maxReplicas, .whole(1...Limits.replicas),
            .live,
            aliases: ["max"], example: 10,
            "Never more, unless scaled by hand; without it, as many as `min_replicas`."),
        Field(
            "scaling_config.enabled", \.scaling.isAutomatic, .boolean, .live,
            aliases: ["autoscaling", "auto_scaling"], example: true,
            "Whether the number follows the load between the two."),
        Field(
            "scaling_config.target_cpu_utilization", \.scaling.targetCPU,
            Form.whole(1...100, unit: " %").optional, .live, example: 60,
            "Processor use to aim at."),
        Field(
            "scaling_config.target_memory_utilization", \.scaling.targetMemory,
            Form.whole(1...100, unit: " %").optional, .live, example: 80, "Memory use to aim at."),
        Field(
            "scaling_config.target_gpu_utilization", \.scaling.targetGPU,
            Form.whole(1...100, unit: " %").optional, .live, example: 70, "GPU use to aim at."),
        Field(
            "scaling_config.cooldown_period", \.scaling.cooldown,
            .seconds(.zero...Limits.dayOfSeconds), .live, aliases: ["cooldown"], example: 300,
            "Pause before replicas are taken away again."),
    ]

    static let balancing: [Field] = [
        Field(
            "load_balancer.enabled", \.loadBalancer.isEnabled, .boolean, .live, example: true,
            "Off: one replica gets everything, the others stand by."),
        Field(
            "load_balancer.algorithm", \.loadBalancer.algorithm,
            .word(BalancingAlgorithm.self), .live, example: "least_latency",
            "Which replica gets the next request."),
        Field(
            "load_balancer.health_check_path", \.loadBalancer.healthPath, .urlPath, .live,
            aliases: ["health_check_url", "health_check"], example: "/v2/health/ready",
            "Answers 200 when a replica is ready."),
        Field(
            "load_balancer.health_check_interval", \.loadBalancer.healthInterval,
            .seconds(.milliseconds(100)...(.seconds(3600))), .live, example: 5,
            "Time between two checks."),
        Field(
            "load_balancer.health_check_timeout", \.loadBalancer.healthTimeout,
            .seconds(.milliseconds(10)...(.seconds(3600))), .live, example: 1,
            "A check without an answer by then has failed."),
        Field(
            "load_balancer.healthy_threshold", \.loadBalancer.healthyThreshold, .whole(1...100),
            .live, example: 2, "Good checks in a row that make a replica healthy."),
        Field(
            "load_balancer.unhealthy_threshold", \.loadBalancer.unhealthyThreshold, .whole(1...100),
            .live, example: 3, "Failed checks in a row that make it unhealthy."),
        Field(
            "load_balancer.sticky_sessions", \.loadBalancer.isSticky, .boolean, .live,
            example: false, "Keeps a client on its replica, by a cookie."),
    ]

    static let strategy: [Field] = [
        Field(
            "strategy.type", \.strategy.kind,
            .word(
                StrategySpec.Kind.self, spellings: ["rolling_update": .rolling],
                reserved: ["blue_green", "bluegreen", "canary"]),
            .live, aliases: ["kind"], example: "rolling", "How replicas are replaced."),
        Field(
            "strategy.max_surge", \.strategy.maxSurge, .countOrShare(0...Limits.replicas), .live,
            example: "25%", "Replicas beyond the wanted number meanwhile."),
        Field(
            "strategy.max_unavailable", \.strategy.maxUnavailable,
            .countOrShare(0...Limits.replicas), .live, example: 0,
            "Replicas that may be missing meanwhile."),
        Field(
            "strategy.min_healthy_seconds", \.strategy.minHealthy,
            .seconds(.zero...(.seconds(3600))), .live, example: 10,
            "A new replica counts once it has been ready this long."),
        Field(
            "strategy.progress_deadline_seconds", \.strategy.progressDeadline,
            Form.seconds(.seconds(1)...Limits.dayOfSeconds).optional, .live, example: 600,
            "Without progress for this long it goes back; without it, three times the learned load "
                + "time, at least two minutes."),
    ]

    static let lifecycle: [Field] = [
        Field(
            "lifecycle.drain_seconds", \.lifecycle.drain, .seconds(.zero...(.seconds(3600))), .live,
            example: 30, "For requests under way when a replica is taken out."),
        Field(
            "lifecycle.grace_seconds", \.lifecycle.grace, .seconds(.zero...(.seconds(600))), .live,
            example: 10, "Between SIGTERM and SIGKILL."),
        Field(
            "lifecycle.start_deadline_seconds", \.lifecycle.startDeadline,
            .seconds(.seconds(1)...Limits.dayOfSeconds), .live, example: 600,
            "A replica that is not ready by then has failed."),
        Field(
            "lifecycle.smoke_paths", \.lifecycle.smokePaths,
            .list(of: .urlPath, 0...Limits.smokePaths, what: "paths"), .live,
            example: .texts(["/v2/models/iris"]),
            "Asked before a replica gets traffic; each must answer 2xx. None: the health path."),
    ]
}
