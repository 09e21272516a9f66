// One deployment in the controller's memory: what is stored, as it is stored, and what was seen
// since. The stored half changes only after a commit has.

import Foundation
import State
import Traffic

struct DeploymentEntry: Sendable {
    let name: String
    let id: String
    let createdAt: Date
    let createdBy: String

    // As stored.
    var record: DeploymentRecord
    var memory: DeploymentMemory
    var generation: Int
    var version: UInt64
    var updatedAt: Date
    var revisions: [Int: Revision] = [:]
    /// Oldest first.
    var rows: [ReplicaRow] = []
    var rowVersions: [String: UInt64] = [:]
    /// The one at work.
    var operation: OperationRecord?
    /// Waiting for it to end, oldest first.
    var queue: [OperationRecord] = []

    // As seen.
    var sightings: [String: ReplicaSighting] = [:]
    var judge = DegradedJudge()
    var artifact: Verdict?
    var capacity: Verdict?
    /// Nothing can be told of progress before then.
    var lastProgress: Date
    /// When time alone changes something.
    var wake: Date?

    // Made of the above, kept because they are wanted often.
    var status: DeploymentStatus
    var routing: FleetRouting
    var service: ServicePlan?
    var candidates: [FleetRouting.Candidate] = []
    /// How the limits of its replicas are held, in words; nil until somebody asks.
    var enforcement: [String: String]?

    init(
        _ document: Document, record: DeploymentRecord, memory: DeploymentMemory, now: Date
    ) {
        name = document.name
        id = document.id
        createdAt = document.createdAt
        createdBy = document.createdBy
        self.record = record
        self.memory = memory
        generation = Int(clamping: document.generation)
        version = document.version
        updatedAt = document.updatedAt
        lastProgress = now
        routing = FleetRouting([], sightings: [:], revision: record.revision)
        status = memory.status ?? StatusFacts(now: now).status(after: nil)
        let degraded = memory.status?.condition(.degraded)
        if let degraded, degraded.truth == .yes {
            judge = DegradedJudge(resuming: Degradation(degraded.reason, degraded.message))
        }
    }

    var key: DocumentKey { DeploymentKeys.deployment(name) }

    /// What `If-Match` is held against. It changes with the wish alone, for a replica that comes
    /// or goes must not make an edit stale; and a name created anew is another deployment.
    var etag: String { "\(id.suffix(8))-\(generation)" }

    /// The revision that shall run; every stored deployment has it.
    var wantedRevision: Revision? { revisions[record.revision] }

    /// Rows that are not yet gone.
    var living: [ReplicaRow] { rows.filter { $0.phase != .exited } }

    /// The revision that serves most.
    var revisionInForce: Int? {
        let ready = rows.filter { $0.phase == .ready }
        let counts = Dictionary(grouping: ready, by: \.revision).mapValues(\.count)
        return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
    }

    mutating func takeUp(_ document: Document) {
        generation = Int(clamping: document.generation)
        version = document.version
        updatedAt = document.updatedAt
    }
}
