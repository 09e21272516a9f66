// What is stored of a deployment: what users want (the document's spec) and what the controller has
// to remember (its status). Replicas and revisions are documents of their own below its name.

package import Foundation
package import State

extension DocumentKind {
    package static let deployment: DocumentKind = "deployment"
    /// `iris/r3`.
    package static let revision: DocumentKind = "revision"
    /// `iris/iris-12`.
    package static let replica: DocumentKind = "replica"
}

/// Set by users alone.
package struct DeploymentRecord: Sendable, Equatable, Codable {
    package var spec: DeploymentSpec
    package var desire = Desire.running
    /// What clients are told while it is stopped.
    package var stopMessage: String?
    /// The revision that shall run.
    package var revision: Int
    /// Counts restarts: replicas of an earlier one are replaced.
    package var epoch = 0
    package var manualScale: ManualScale?
    /// What the configuration file said when it was last applied; nil when it never did.
    package var lastApplied: DeploymentSpec?
    /// Whose file that was; nil with `lastApplied` is one that an earlier Penstock stored.
    package var appliedFrom: String?
    /// The file speaks of it no more; it runs on until it is pruned.
    package var isOrphaned = false

    package init(spec: DeploymentSpec, revision: Int = 1) {
        self.spec = spec
        self.revision = revision
    }

    /// Whose file it follows; nil when none.
    var source: String? {
        lastApplied == nil ? nil : appliedFrom ?? ChangeRequest.fileSource
    }

    /// How many replicas shall run now.
    func target(at now: Date) -> Int {
        guard desire == .running else { return 0 }
        return manualScale(at: now)?.replicas ?? spec.scaling.minReplicas
    }

    func manualScale(at now: Date) -> ManualScale? {
        manualScale.flatMap { scale in scale.until.map { now < $0 } ?? true ? scale : nil }
    }
}

/// Set by the controller alone.
package struct DeploymentMemory: Sendable, Equatable, Codable {
    package var nextReplica = 0
    package var newestRevision = 1
    /// Revisions that have run as they should, newest last; what a roll-back goes to.
    package var goodRevisions: [Int] = []
    package var status: DeploymentStatus?
    package var unreachableSince: Date?
    /// From the order to being ready, smoothed; nil before the first.
    package var loadSeconds: Double?
    package var startsSeen = 0

    package init() {}

    mutating func sawStart(_ seconds: TimeInterval) {
        startsSeen += 1
        loadSeconds = loadSeconds.map { $0 * 0.7 + seconds * 0.3 } ?? seconds
    }

    mutating func sawGood(_ revision: Int) {
        guard goodRevisions.last != revision else { return }
        goodRevisions.removeAll { $0 == revision }
        goodRevisions.append(revision)
        if goodRevisions.count > Limits.goodRevisions { goodRevisions.removeFirst() }
    }
}

enum DeploymentKeys {
    static func deployment(_ name: String) -> DocumentKey { DocumentKey(.deployment, name) }

    static func revision(_ name: String, _ number: Int) -> DocumentKey {
        DocumentKey(.revision, "\(name)/\(FleetRouting.name(number))")
    }

    static func replica(_ row: ReplicaRow) -> DocumentKey { replica(row.deployment, row.id) }

    static func replica(_ deployment: String, _ id: String) -> DocumentKey {
        DocumentKey(.replica, "\(deployment)/\(id)")
    }
}

/// The constant part of a replica's document; the row is its status.
struct ReplicaIdentity: Codable {
    var deployment: String
    var revision: Int
    var epoch: Int
}
