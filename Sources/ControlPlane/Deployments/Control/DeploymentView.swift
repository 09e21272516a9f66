// A deployment and its replicas as readers see them: the wish, what is so, and what is going on.
// Values made by the controller; the API turns them into JSON and knows nothing more.

package import Foundation

package struct DeploymentView: Sendable, Equatable {
    package var id: String
    package var spec: DeploymentSpec
    /// Grows with every accepted change of the spec.
    package var generation: Int
    /// The revision that is wanted.
    package var revision: Int
    /// The one that serves; nil when none does.
    package var revisionInForce: Int?
    /// What `ETag` and `If-Match` carry; empty before it is stored.
    package var resourceVersion: String
    package var createdAt: Date
    package var updatedAt: Date
    package var createdBy: String
    package var desire: Desire
    package var status: DeploymentStatus
    /// What clients are told while it is stopped.
    package var stopMessage: String?
    /// Replicas wanted now.
    package var target: Int
    package var manualScale: ManualScale?
    /// The one at work.
    package var operation: DeploymentOperation?
    /// By resource: `enforced by cgroup v2`, `advisory: …`.
    package var enforcement: [String: String]
    /// What a file said when it was last applied, and whose file; nil when none ever did.
    package var lastApplied: DeploymentSpec?
    package var appliedFrom: String?
    /// The configuration names it no more.
    package var isOrphaned = false

    package init(
        id: String, spec: DeploymentSpec, generation: Int, revision: Int,
        revisionInForce: Int? = nil, resourceVersion: String, createdAt: Date, updatedAt: Date,
        createdBy: String, desire: Desire, status: DeploymentStatus, stopMessage: String? = nil,
        target: Int, manualScale: ManualScale? = nil, operation: DeploymentOperation? = nil,
        enforcement: [String: String] = [:]
    ) {
        self.id = id
        self.spec = spec
        self.generation = generation
        self.revision = revision
        self.revisionInForce = revisionInForce
        self.resourceVersion = resourceVersion
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.createdBy = createdBy
        self.desire = desire
        self.status = status
        self.stopMessage = stopMessage
        self.target = target
        self.manualScale = manualScale
        self.operation = operation
        self.enforcement = enforcement
    }
}

/// A number of replicas set by hand, over the scaling settings.
package struct ManualScale: Sendable, Equatable, Codable {
    package var replicas: Int
    /// Nil is for good.
    package var until: Date?
    package var by: String
    package var reason: String?

    package init(replicas: Int, until: Date? = nil, by: String, reason: String? = nil) {
        self.replicas = replicas
        self.until = until
        self.by = by
        self.reason = reason
    }
}

package struct ReplicaView: Sendable, Equatable {
    package var name: String
    package var deployment: String
    package var revision: Int
    package var phase: ReplicaPhase
    /// Failed real requests or probes, and gets none meanwhile.
    package var isEjected = false
    package var isDrained = false
    package var address: String?
    package var since: Date
    package var startedAt: Date?
    package var readyAt: Date?
    package var restarts = 0
    /// What the phase waits for, in words.
    package var waitingFor: String?
    /// Why the last run ended.
    package var cause: String?
    package var processID: Int?
    package var gpus: [String] = []
    package var usage: Usage?
    package var inFlight: Int?
    package var requests: UInt64?

    package struct Usage: Sendable, Equatable {
        package var at: Date
        package var cores: Double
        package var memoryBytes: Int
        package var gpuPercent: Double?

        package init(at: Date, cores: Double, memoryBytes: Int, gpuPercent: Double? = nil) {
            self.at = at
            self.cores = cores
            self.memoryBytes = memoryBytes
            self.gpuPercent = gpuPercent
        }
    }

    package init(
        name: String, deployment: String, revision: Int, phase: ReplicaPhase, since: Date
    ) {
        self.name = name
        self.deployment = deployment
        self.revision = revision
        self.phase = phase
        self.since = since
    }
}

/// A place where replicas run.
package struct NodeView: Sendable, Equatable {
    package var name: String
    package var room: PlanFacts.Room
    /// One row a device: what it is and who has it.
    package var gpus: [GPU]
    /// `detected`, `declared`, `none`.
    package var gpuSource: String
    /// By resource: how a limit is held here.
    package var enforcement: [String: String]

    package struct GPU: Sendable, Equatable {
        package var id: String
        package var type: String
        package var memoryBytes: Int
        package var replica: String?

        package init(id: String, type: String, memoryBytes: Int, replica: String? = nil) {
            self.id = id
            self.type = type
            self.memoryBytes = memoryBytes
            self.replica = replica
        }
    }

    package init(
        name: String, room: PlanFacts.Room, gpus: [GPU] = [], gpuSource: String = "none",
        enforcement: [String: String] = [:]
    ) {
        self.name = name
        self.room = room
        self.gpus = gpus
        self.gpuSource = gpuSource
        self.enforcement = enforcement
    }
}
