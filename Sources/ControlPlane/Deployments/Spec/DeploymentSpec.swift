// What a deployment should be: everything a user can say about it, checked, with defaults filled
// in. An immutable value for all practical purposes: a change makes a new one through `SpecReader`
// (JSON, YAML) or `SpecPatch`. Every stored property has its row in `DeploymentFields`.

package import Traffic

package struct DeploymentSpec: Sendable, Equatable {
    /// A slug, unique over all environments.
    package var name: String
    package var description = ""
    package var labels: [String: String] = [:]
    package var owner = ""
    package var model: String
    package var version: String
    /// File or directory for `{artifact}`, absolute; nil takes what the registry has.
    package var artifact: String?
    package var environment = Environment.development
    /// Program and first arguments, with `{address}` and `{artifact}` still in them.
    package var command: [String]
    /// Appended to `command`.
    package var arguments: [String] = []
    package var variables: [String: String] = [:]
    /// By the variable that will hold the secret.
    package var secrets: [String: Reference] = [:]
    /// Sets of variables kept elsewhere; later ones win, `variables` wins over all.
    package var configs: [Reference] = []
    /// As given, or what `instanceType` stands for.
    package var resources: Resources
    package var instanceType: String?
    /// Requests one replica works on at once; nil is unknown.
    package var concurrency: Int?
    package var scaling = ScalingSpec()
    package var loadBalancer = LoadBalancerSpec()
    package var strategy = StrategySpec()
    package var lifecycle = LifecycleSpec()
    package var objective = ObjectiveSpec()
    package var isMonitored = true
    /// Why a production deployment goes without monitoring.
    package var unmonitoredReason: String?

    /// The least a deployment needs; the rest are defaults.
    package init(
        name: String, model: String, version: String, command: [String], resources: Resources
    ) {
        self.name = name
        self.model = model
        self.version = version
        self.command = command
        self.resources = resources
    }

    package enum Environment: String, Sendable, CaseIterable, Codable {
        case development, staging, production
    }
}

/// What one replica gets.
package struct Resources: Sendable, Equatable {
    /// Thousandths of a core.
    package var cpuMillis: Int
    package var memoryBytes: Int64
    package var gpu = 0
    /// Any when nil.
    package var gpuType: String?
    package var storageBytes: Int64?
    package var bandwidthMbps: Int?

    package init(
        cpuMillis: Int, memoryBytes: Int64, gpu: Int = 0, gpuType: String? = nil,
        storageBytes: Int64? = nil, bandwidthMbps: Int? = nil
    ) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.gpu = gpu
        self.gpuType = gpuType
        self.storageBytes = storageBytes
        self.bandwidthMbps = bandwidthMbps
    }
}

/// A secret or a set of variables by name; without a version it is the newest.
package struct Reference: Sendable, Hashable, CustomStringConvertible {
    package var name: String
    package var version: String?

    package init(name: String, version: String? = nil) {
        self.name = name
        self.version = version
    }

    package var description: String { version.map { "\(name)#\($0)" } ?? name }
}

package struct ScalingSpec: Sendable, Equatable {
    package var minReplicas = 1
    package var maxReplicas = 1
    package var isAutomatic = true
    /// Percent; nil takes no part in the decision.
    package var targetCPU: Int?
    package var targetMemory: Int?
    package var targetGPU: Int?
    package var cooldown = Duration.seconds(300)

    package init() {}
}

package struct LoadBalancerSpec: Sendable, Equatable {
    /// Off: one replica gets everything, the others stand by.
    package var isEnabled = true
    package var algorithm = BalancingAlgorithm.roundRobin
    package var healthPath = "/v2/health/ready"
    package var healthInterval = Duration.seconds(5)
    package var healthTimeout = Duration.seconds(1)
    package var healthyThreshold = 2
    package var unhealthyThreshold = 3
    package var isSticky = false

    package init() {}
}

/// How one revision takes over from another.
package struct StrategySpec: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case rolling
    }

    package var kind = Kind.rolling
    package var maxSurge = CountOrShare.count(1)
    package var maxUnavailable = CountOrShare.count(0)
    package var minHealthy = Duration.seconds(10)
    /// Nil: three times the learned load time, at least two minutes.
    package var progressDeadline: Duration?

    package init() {}
}

/// `2` or `25%` of the replicas.
package enum CountOrShare: Sendable, Equatable {
    case count(Int)
    /// Thousandths.
    case share(Int)

    /// Of so many replicas; shares are rounded up if `up`.
    package func of(_ replicas: Int, roundingUp up: Bool) -> Int {
        switch self {
        case .count(let count): count
        case .share(let thousandths): (replicas * thousandths + (up ? 999 : 0)) / 1000
        }
    }
}

/// How long a replica's beginnings and ends may take.
package struct LifecycleSpec: Sendable, Equatable {
    /// For requests under way when a replica has left the plan.
    package var drain = Duration.seconds(30)
    /// Between SIGTERM and SIGKILL.
    package var grace = Duration.seconds(10)
    /// From its start until it must be ready.
    package var startDeadline = Duration.seconds(600)
    /// Asked through the gateway's own data path before a replica gets traffic; empty stands for
    /// the health path.
    package var smokePaths: [String] = []

    package init() {}
}

/// What counts as degraded.
package struct ObjectiveSpec: Sendable, Equatable {
    /// Share of requests that may fail, in thousandths.
    package var errorRate = 10
    /// Nil compares with the revision's own past.
    package var latencyP95: Duration?

    package init() {}
}
