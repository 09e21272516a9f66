// What is to be done about replicas, derived from their rows alone: not "do X" but "make it so".
// Whoever carries orders out compares them with what is, so that one given twice does nothing more,
// and the orders of a crashed Penstock are simply given again.

package import Foundation

package enum ReplicaOrder: Sendable, Equatable {
    /// A process of this attempt shall run.
    case run(replica: String, attempt: Int)
    /// Ask it whether it is ready until it says so.
    case probe(replica: String)
    /// Send it requests through the data path, as clients would.
    case prove(replica: String)
    /// SIGTERM now, SIGKILL at the deadline.
    case stop(replica: String, killAt: Date)
    /// Whatever is left of it shall end now.
    case kill(replica: String)

    package var replica: String {
        switch self {
        case .run(let replica, _), .probe(let replica), .prove(let replica),
            .stop(let replica, _), .kill(let replica):
            replica
        }
    }

    /// What a row demands at present; nil when there is nothing to do.
    package init?(_ row: ReplicaRow, _ sighting: ReplicaSighting) {
        switch row.phase {
        case .spawning where sighting.process != .running(attempt: row.attempt):
            self = .run(replica: row.id, attempt: row.attempt)
        case .loading where !sighting.answers:
            self = .probe(replica: row.id)
        case .warming where sighting.role == .proving && sighting.proof == .open:
            self = .prove(replica: row.id)
        case .failed where !FleetStep.isGone(sighting, row):
            self = .kill(replica: row.id)
        case .stopping where !FleetStep.isGone(sighting, row):
            self = .stop(replica: row.id, killAt: row.deadline ?? row.since)
        default:
            return nil
        }
    }
}
