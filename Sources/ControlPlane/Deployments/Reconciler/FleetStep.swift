// One step of a deployment's replicas: rows + sightings + wish + time → rows. Pure; whoever owns it
// stores the outcome as one transaction before anything is done about it. Repeated until nothing
// changes, it leads from any state to the wish.

package import Foundation

/// A replica went from one phase to the next, for history.
package struct FleetEvent: Sendable, Equatable {
    package var replica: String
    /// Nil for a new one.
    package var from: ReplicaPhase?
    package var to: ReplicaPhase
    /// Why, in words.
    package var reason: String
}

package struct FleetStep: Sendable, Equatable {
    /// All rows as they shall be stored, oldest first.
    package var rows: [ReplicaRow]
    /// Rows to be forgotten: long exited.
    package var removed: [String] = []
    package var events: [FleetEvent] = []
    /// The number of the next new replica.
    package var nextNumber: Int
    /// Replicas that cannot be started because no GPU is free.
    package var unplaced = 0
    /// When time alone changes something; nil when only an observation can.
    package var wake: Date?

    package var isEmpty: Bool { events.isEmpty && removed.isEmpty }

    /// Exited rows kept, so that their logs and dossiers can be found by name.
    static let exitedKept = 8

    /// - Parameter pool: what is free; what new replicas get is taken out of it.
    package init(
        _ wish: FleetWish, rows: [ReplicaRow], sightings: [String: ReplicaSighting],
        nextNumber: Int, pool: inout GPUPool, now: Date
    ) {
        self.rows = rows
        self.nextNumber = nextNumber
        observe(wish.rules, sightings, now)
        reduce(wish, sightings, now)
        extend(wish, sightings, &pool, now)
        start(wish, sightings, now)
        forgetExited()
        wake = moments(wish, sightings).filter { $0 > now }.min()
    }

    mutating func change(
        _ index: Int, to phase: ReplicaPhase, _ reason: String = "", at now: Date,
        for limit: TimeInterval? = nil
    ) {
        events.append(
            FleetEvent(
                replica: rows[index].id, from: rows[index].phase, to: phase, reason: reason))
        rows[index].enter(phase, at: now, for: limit)
    }

    private mutating func forgetExited() {
        let exited = rows.filter { $0.phase == .exited }.sorted { $0.since < $1.since }
        guard exited.count > Self.exitedKept else { return }
        removed = exited.dropLast(Self.exitedKept).map(\.id)
        let gone = Set(removed)
        rows.removeAll { gone.contains($0.id) }
    }

    /// Every moment at which a rule of time may fire.
    private func moments(
        _ wish: FleetWish, _ sightings: [String: ReplicaSighting]
    ) -> [Date] {
        rows.flatMap { row -> [Date] in
            var moments = [row.deadline, row.notBefore].compactMap { $0 }
            if row.phase == .ready {
                if let since = sightings[row.id]?.unreachableSince {
                    moments.append(since.addingTimeInterval(wish.rules.unreachableLimit))
                }
                if let healthy = row.history.moment(ofReadyFor: wish.rules.minHealthy) {
                    moments.append(healthy)
                }
            }
            return moments
        }
    }
}
