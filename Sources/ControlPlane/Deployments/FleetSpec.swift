// A deployment as the runner needs it: what to run, how many of it, and the service that answers
// for it, still without endpoints. A plain value; whoever wires the planes makes it.

package import Replicas
package import Traffic

package struct FleetSpec: Sendable, Equatable {
    package var name: String
    package var model: String
    package var version: String
    package var environment: String?
    /// Program and arguments, with `{artifact}` and `{address}` still in them.
    package var command: [String]
    package var artifact: String?
    package var replicas: Int
    package var variables: [String: String]
    package var healthPath: String
    /// Requests one replica works on at once; nil is unknown.
    package var concurrency: Int?
    /// Routes, balancing, health check and retries; its revisions are the runner's.
    package var service: ServicePlan

    package init(
        name: String, model: String, version: String, environment: String? = nil,
        command: [String], artifact: String? = nil, replicas: Int,
        variables: [String: String] = [:], healthPath: String = "/v2/health/ready",
        concurrency: Int? = nil, service: ServicePlan
    ) {
        self.name = name
        self.model = model
        self.version = version
        self.environment = environment
        self.command = command
        self.artifact = artifact
        self.replicas = replicas
        self.variables = variables
        self.healthPath = healthPath
        self.concurrency = concurrency
        self.service = service
    }

    package func replica(index: Int) -> ReplicaSpec {
        var variables = variables
        variables["PENSTOCK_ENVIRONMENT"] = environment
        return ReplicaSpec(
            deployment: name, index: index, model: model, version: version, command: command,
            artifact: artifact, environment: variables)
    }

    /// Whether replicas of the other spec can stay as they are under this one.
    func runsTheSame(as other: FleetSpec) -> Bool {
        replica(index: 0) == other.replica(index: 0) && healthPath == other.healthPath
    }
}

/// A deployment as it is.
package struct FleetStatus: Sendable, Equatable {
    package var name: String
    package var version: String
    package var wanted: Int
    package var replicas: [ReplicaStatus]

    package var ready: Int { replicas.count { $0.state == .ready } }
}
