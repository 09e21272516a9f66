// The facts about replicas that a status needs, from their rows and sightings.

package import Foundation

extension StatusFacts {
    /// - Parameter unreachableSince: as it was known before; nil when a replica was reachable.
    package init(
        _ wish: FleetWish, rows: [ReplicaRow], sightings: [String: ReplicaSighting],
        unreachableSince earlier: Date?, now: Date
    ) {
        self.init(now: now)
        desire = wish.desire
        target = wish.count
        replicas = rows.filter { $0.phase != .exited }.map { row in
            let sighting = sightings[row.id]
            let trouble = sighting?.trouble ?? ""
            return ReplicaStanding(
                id: row.id, phase: row.phase, isReachable: sighting?.isReachable ?? true,
                isHeld: row.isHeld, trouble: trouble.isEmpty ? row.cause : trouble,
                isBudgetSpent: row.history.isCrashLooping)
        }
        isRoutingSynced = rows.allSatisfy {
            $0.phase != .ready || sightings[$0.id]?.role == $0.role
        }
        let hasServed = earlier != nil || rows.contains { $0.wasReady && $0.phase != .exited }
        let isUnreachable = wish.isRunning && wish.count > 0 && reachable.isEmpty && hasServed
        unreachableSince = isUnreachable ? earlier ?? now : nil
        lastStartFailed = rows.last { $0.phase != .exited }?.phase == .failed
    }
}
