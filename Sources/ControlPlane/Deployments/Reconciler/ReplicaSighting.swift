// What was seen of one replica since Penstock started: its process, its answers, and what every
// worker has confirmed of its place in the routing. Never stored; a restart sees again.

package import Foundation

package struct ReplicaSighting: Sendable, Equatable {
    package enum Process: Sendable, Equatable {
        /// Nobody has looked yet, or an order to it is under way.
        case unknown
        /// There is none, of no attempt.
        case absent
        case running(attempt: Int)
        /// How, in words.
        case ended(attempt: Int, reason: String)
    }

    package enum Proof: Sendable, Equatable {
        case open
        case passed
        case failed(String)
    }

    package var process = Process.unknown
    /// Where the process listens.
    package var address: String?
    /// Its own health check has been good often enough in a row.
    package var answers = false
    /// What was wrong with its last answer while it loads, in words; nil before it was asked.
    package var fault: String?
    package var proof = Proof.open
    /// The place in the routing that every worker has confirmed; nil when that is not known.
    package var role: TrafficRole?
    /// Requests under way; nil when that is not known.
    package var inFlight: Int?
    /// The data plane's checks have failed since.
    package var unreachableSince: Date?
    /// Why, in words.
    package var trouble = ""

    package init() {}

    package var isReachable: Bool { unreachableSince == nil }

    /// What was seen belongs to one process; the next one is a stranger.
    package mutating func newProcess() {
        answers = false
        fault = nil
        proof = .open
        unreachableSince = nil
        trouble = ""
    }
}

/// What the plan says of a replica.
package enum TrafficRole: String, Sendable, Equatable {
    /// Not in the plan.
    case absent
    /// Reachable by the controller's own requests only.
    case proving
    case serving
    /// In the plan for its last requests; takes no new one.
    case drained
}

extension ReplicaPhase {
    /// What the plan shall say of a replica in this phase.
    package var role: TrafficRole {
        switch self {
        case .warming: .proving
        case .ready: .serving
        case .draining: .drained
        case .reserved, .spawning, .loading, .failed, .stopping, .exited: .absent
        }
    }
}
