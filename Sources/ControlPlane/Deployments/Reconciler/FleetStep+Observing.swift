// What each replica's own sighting does to it, whatever the fleet wants. Nothing advances on an
// order given, only on its observed outcome.

import Foundation

extension FleetStep {
    mutating func observe(
        _ rules: FleetRules, _ sightings: [String: ReplicaSighting], _ now: Date
    ) {
        for index in rows.indices {
            let sighting = sightings[rows[index].id] ?? ReplicaSighting()
            switch rows[index].phase {
            case .reserved, .exited: break
            case .spawning: spawning(index, sighting, rules, now)
            case .loading: loading(index, sighting, rules, now)
            case .warming: warming(index, sighting, now)
            case .ready: ready(index, sighting, rules, now)
            case .failed: break
            case .draining: draining(index, sighting, rules, now)
            case .stopping: stopping(index, sighting, now)
            }
        }
    }

    private mutating func spawning(
        _ index: Int, _ sighting: ReplicaSighting, _ rules: FleetRules, _ now: Date
    ) {
        switch sighting.process {
        case .running(rows[index].attempt):
            rows[index].address = sighting.address
            change(index, to: .loading, at: now, for: rules.startLimit)
        case .ended(rows[index].attempt, let reason):
            fail(index, reason, now)
        default:
            // Adopted orders are awaited, too: nothing is started twice.
            if isOver(index, now), sighting.process == .absent {
                fail(index, "it was not started within \(Words.seconds(rules.spawnLimit))", now)
            }
        }
    }

    private mutating func loading(
        _ index: Int, _ sighting: ReplicaSighting, _ rules: FleetRules, _ now: Date
    ) {
        if failIfGone(index, sighting, now) { return }
        if sighting.answers {
            return change(index, to: .warming, at: now, for: rules.proofLimit)
        }
        if isOver(index, now) {
            let last = sighting.fault.map { "; last asked, \($0)" } ?? ""
            fail(index, "not ready within \(Words.seconds(rules.startLimit))\(last)", now)
        }
    }

    private mutating func warming(_ index: Int, _ sighting: ReplicaSighting, _ now: Date) {
        if failIfGone(index, sighting, now) { return }
        switch sighting.proof {
        case .passed:
            rows[index].history.becameReady(at: now)
            rows[index].wasReady = true
            change(index, to: .ready, at: now)
        case .failed(let reason):
            fail(index, "failed its proof: \(reason)", now)
        case .open:
            if isOver(index, now) { fail(index, "not proved in time", now) }
        }
    }

    private mutating func ready(
        _ index: Int, _ sighting: ReplicaSighting, _ rules: FleetRules, _ now: Date
    ) {
        if failIfGone(index, sighting, now) { return }
        guard let since = sighting.unreachableSince,
            now.timeIntervalSince(since) >= rules.unreachableLimit,
            !rows.contains(where: { $0.phase == .failed })
        else { return }
        fail(
            index,
            "unreachable for \(Words.seconds(rules.unreachableLimit)): \(sighting.trouble)", now)
    }

    /// R8: first every worker has it out of the rotation, then its last requests end.
    private mutating func draining(
        _ index: Int, _ sighting: ReplicaSighting, _ rules: FleetRules, _ now: Date
    ) {
        if Self.isGone(sighting, rows[index]) { return change(index, to: .exited, at: now) }
        guard sighting.role == .drained || sighting.role == .absent else { return }
        let isIdle = sighting.role == .drained && sighting.inFlight == 0
        if isIdle || isOver(index, now) {
            change(
                index, to: .stopping, isIdle ? "drained" : "the time for draining is over",
                at: now, for: rules.graceLimit)
        }
    }

    private mutating func stopping(_ index: Int, _ sighting: ReplicaSighting, _ now: Date) {
        if Self.isGone(sighting, rows[index]) { change(index, to: .exited, at: now) }
    }

    mutating func fail(_ index: Int, _ reason: String, _ now: Date) {
        let chance = Self.chance(rows[index])
        let pause = rows[index].history.ended(at: now, chance: chance)
        rows[index].cause = reason
        change(index, to: .failed, reason, at: now)
        rows[index].notBefore = now.addingTimeInterval(pause)
    }

    private mutating func failIfGone(
        _ index: Int, _ sighting: ReplicaSighting, _ now: Date
    ) -> Bool {
        guard Self.isGone(sighting, rows[index]) else { return false }
        if case .ended(_, let reason) = sighting.process {
            fail(index, reason, now)
        } else {
            fail(index, "its process is gone", now)
        }
        return true
    }

    /// Of the row's present process: it is known that there is none.
    static func isGone(_ sighting: ReplicaSighting, _ row: ReplicaRow) -> Bool {
        switch sighting.process {
        case .unknown, .running: false
        case .absent: true
        case .ended(let attempt, _): attempt >= row.attempt
        }
    }

    private func isOver(_ index: Int, _ now: Date) -> Bool {
        rows[index].deadline.map { now >= $0 } ?? false
    }

    /// 0..<1, the same for the same attempt: jitter needs no generator.
    static func chance(_ row: ReplicaRow) -> Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(row.id)#\(row.attempt)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return Double(hash >> 11) / Double(1 << 53)
    }
}
