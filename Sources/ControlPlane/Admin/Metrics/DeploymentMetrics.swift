// Deployments, their replicas and the state as metric families: what alerts on "not healthy",
// "keeps restarting" or "takes no changes" are written over. Values in, text out.

import Deployments
import State

struct DeploymentMetrics {
    var out: PrometheusText

    private typealias Sample = (labels: [(String, String)], value: Double)

    /// A family without samples is not told of.
    private mutating func family(
        _ name: String, _ kind: PrometheusText.Kind, _ help: String, _ samples: [Sample]
    ) {
        guard !samples.isEmpty else { return }
        out.begin(name, kind, help)
        for sample in samples { out.sample(sample.labels, sample.value) }
    }

    mutating func write(_ views: [DeploymentView], _ replicas: [ReplicaView]) {
        family(
            "penstock_deployment_info", .gauge, "1, with what is wanted of a deployment as labels.",
            views.map { (Self.wanted($0), 1) })
        family(
            "penstock_deployment_status", .gauge, "1 for the status that a deployment has.",
            views.flatMap { view in
                StatusWord.allCases.map { word in
                    (
                        [("deployment", view.spec.name), ("status", word.rawValue)],
                        view.status.word == word ? 1 : 0
                    )
                }
            })
        family(
            "penstock_deployment_replicas", .gauge, "Replicas of a deployment, by state.",
            views.flatMap(Self.counts))
        family(
            "penstock_deployment_operation_active", .gauge, "1 while an operation is at work.",
            views.map { ([("deployment", $0.spec.name)], $0.operation == nil ? 0 : 1) })
        write(replicas.filter { $0.phase != .exited })
    }

    private static func wanted(_ view: DeploymentView) -> [(String, String)] {
        let spec = view.spec
        return [
            ("deployment", spec.name), ("model", spec.model), ("version", spec.version),
            ("environment", spec.environment.rawValue), ("revision", "\(view.revision)"),
        ]
    }

    private static func counts(_ view: DeploymentView) -> [Sample] {
        let counts = view.status.replicas
        return [
            ("desired", counts.desired), ("ready", counts.ready), ("starting", counts.starting),
            ("failed", counts.failed), ("draining", counts.draining),
        ].map { ([("deployment", view.spec.name), ("state", $0.0)], Double($0.1)) }
    }

    private mutating func write(_ replicas: [ReplicaView]) {
        func samples(_ value: (ReplicaView) -> Double?) -> [Sample] {
            replicas.compactMap { replica in
                value(replica).map {
                    ([("deployment", replica.deployment), ("replica", replica.name)], $0)
                }
            }
        }
        family(
            "penstock_replica_restarts_total", .counter, "Starts of a replica after its first.",
            samples { Double($0.restarts) })
        family(
            "penstock_replica_cpu_cores", .gauge, "Processor time a replica uses, in cores.",
            samples { $0.usage?.cores })
        family(
            "penstock_replica_memory_bytes", .gauge, "Memory that a replica holds.",
            samples { $0.usage.map { Double($0.memoryBytes) } })
        family(
            "penstock_replica_gpu_percent", .gauge, "Utilisation of a replica's GPUs.",
            samples { $0.usage?.gpuPercent })
    }

    mutating func write(_ state: StoreReport) {
        func gauge(_ name: String, _ help: String, _ value: some BinaryInteger) {
            out.begin(name, .gauge, help)
            out.sample(value)
        }
        gauge(
            "penstock_state_writable", "1 while the state takes changes.",
            state.readOnlyReason == nil ? 1 : 0)
        gauge("penstock_state_database_bytes", "Size of the database.", state.databaseBytes)
        gauge("penstock_state_wal_bytes", "Size of its write-ahead log.", state.logBytes)
        gauge(
            "penstock_state_limit_bytes", "Size at which changes are refused.", state.limitBytes)
        out.begin("penstock_state_changes_total", .counter, "Changes committed so far.")
        out.sample(state.sequence)
        family(
            "penstock_state_documents", .gauge, "Documents by kind.",
            state.documents.sorted { $0.key < $1.key }.map {
                ([("kind", $0.key)], Double($0.value))
            })
        gauge("penstock_audit_entries", "Entries of the audit log.", state.auditEntries)
    }
}
