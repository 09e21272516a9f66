// The stored row of one replica: its place in the fleet, where it is in its life, and what bounds
// that. Effects are derived from rows and rows change by observation only, so a crash between any
// two commits loses nothing but time. Deadlines are wall time: they hold over a restart.

package import Foundation

package struct ReplicaRow: Sendable, Equatable, Codable {
    /// `iris-12`; never used again within its deployment.
    package var id: String
    package var deployment: String
    package var revision: Int
    /// Which restart of the deployment made it.
    package var epoch: Int
    package var phase = ReplicaPhase.reserved
    /// Its processes so far, the present one included.
    package var attempt = 0
    /// When the phase began.
    package var since: Date
    /// When the phase is given up; nil when it may last.
    package var deadline: Date?
    /// Not started before then: the back-off.
    package var notBefore: Date?
    package var history = StartHistory()
    /// It has been in the rotation at least once.
    package var wasReady = false
    /// Somebody wants it out of the rotation, alive, until further notice.
    package var isHeld = false
    /// Why it failed last, in words; empty when it never did.
    package var cause = ""
    /// When its present process was ordered; earlier processes of the name are not it.
    package var orderedAt: Date?
    /// Where its present process listens; known once it runs.
    package var address: String?
    /// GPUs that are its own until it has exited, and their type.
    package var gpus = 0
    package var gpuType: String?

    package init(id: String, deployment: String, revision: Int, epoch: Int, at now: Date) {
        self.id = id
        self.deployment = deployment
        self.revision = revision
        self.epoch = epoch
        since = now
    }

    /// What it waits for, in words; empty when it is settled.
    package var waitingFor: String {
        switch phase {
        case .reserved: "its turn to start"
        case .spawning: "the process"
        case .loading: "the model to answer its health check"
        case .warming: "its first answers through the gateway"
        case .failed: "the next start"
        case .draining: "requests under way"
        case .stopping: "the process to end"
        case .ready, .exited: ""
        }
    }

    /// What the plan shall say of it.
    package var role: TrafficRole { phase == .ready && isHeld ? .drained : phase.role }

    mutating func enter(_ next: ReplicaPhase, at now: Date, for limit: TimeInterval? = nil) {
        phase = next
        since = now
        deadline = limit.map { now.addingTimeInterval($0) }
        notBefore = nil
    }
}
