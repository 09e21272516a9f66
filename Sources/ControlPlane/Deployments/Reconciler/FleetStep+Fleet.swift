// How many of which: surplus and superseded replicas leave, missing ones are made. While some are
// replaced, as many old ones stay as new ones are not yet available; the newest edit wins, and what
// never worked is let go first.

import Foundation

extension FleetStep {
    /// Lets go of what is not wanted any more.
    mutating func reduce(
        _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ now: Date
    ) {
        let staying = rows.indices.filter { !rows[$0].phase.isLeaving }
        guard wish.isRunning else {
            for index in staying { leave(index, wish.rules, sightings, now) }
            return
        }
        let current = staying.filter { wish.isCurrent(rows[$0]) }
        for index in worst(of: current, sightings, keeping: wish.count) {
            leave(index, wish.rules, sightings, now)
        }
        reduceSuperseded(staying.filter { !wish.isCurrent(rows[$0]) }, wish, sightings, now)
    }

    /// Old replicas stay as long as new ones do not make up for them. One that never was ready
    /// makes up for nothing.
    private mutating func reduceSuperseded(
        _ old: [Int], _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ now: Date
    ) {
        let available = rows.indices.count {
            wish.isCurrent(rows[$0]) && isAvailable($0, wish, sightings, now)
        }
        let needed = max(0, wish.count - wish.rules.maxUnavailable - available)
        let (worthy, unworthy) = (
            old.filter { rows[$0].wasReady }, old.filter { !rows[$0].wasReady }
        )
        for index in unworthy + worst(of: worthy, sightings, keeping: needed) {
            leave(index, wish.rules, sightings, now)
        }
    }

    private func isAvailable(
        _ index: Int, _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ now: Date
    ) -> Bool {
        rows[index].phase == .ready
            && sightings[rows[index].id]?.isReachable ?? false
            && sightings[rows[index].id]?.role == .serving
            && rows[index].history.isReady(for: wish.rules.minHealthy, at: now)
    }

    /// Those beyond the best few: serving ones are better than others, older ones than newer.
    private func worst(
        of indices: [Int], _ sightings: [String: ReplicaSighting], keeping count: Int
    ) -> [Int] {
        guard indices.count > count else { return [] }
        let ranked = indices.sorted { left, right in
            let ranks = (rank(left, sightings), rank(right, sightings))
            return ranks.0 != ranks.1 ? ranks.0 > ranks.1 : left < right
        }
        return ranked.dropFirst(count).sorted()
    }

    private func rank(_ index: Int, _ sightings: [String: ReplicaSighting]) -> Int {
        switch rows[index].phase {
        case .ready: sightings[rows[index].id]?.isReachable ?? true ? 5 : 3
        case .warming: 4
        case .loading: 2
        case .spawning, .reserved: 1
        case .failed, .draining, .stopping, .exited: 0
        }
    }

    private mutating func leave(
        _ index: Int, _ rules: FleetRules, _ sightings: [String: ReplicaSighting], _ now: Date
    ) {
        let sighting = sightings[rows[index].id] ?? ReplicaSighting()
        switch rows[index].phase {
        case .reserved:
            change(index, to: .exited, at: now)
        case .failed where Self.isGone(sighting, rows[index]):
            change(index, to: .exited, at: now)
        case .ready:
            change(index, to: .draining, at: now, for: rules.drainLimit)
        case .spawning, .loading, .warming:
            change(index, to: .stopping, at: now, for: rules.graceLimit)
        // A failed one is being killed already. A grace would let it wake up, unreachable no more,
        // while a worker that is late still routes to it.
        case .failed, .draining, .stopping, .exited: break
        }
    }

    /// Makes what is missing, within the surge and the GPUs there are.
    mutating func extend(
        _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ pool: inout GPUPool,
        _ now: Date
    ) {
        guard wish.isRunning else { return }
        let staying = rows.filter { !$0.phase.isLeaving }
        let current = staying.count { wish.isCurrent($0) }
        let old = staying.count - current
        let room = old == 0 ? wish.count : wish.count + wish.rules.maxSurge - old
        var missing = max(0, min(wish.count, room) - current)
        missing -= revive(missing, wish, sightings, now)
        for made in 0..<missing {
            var type: String?
            if wish.rules.gpus > 0 {
                type = pool.take(wish.rules.gpus, type: wish.rules.gpuType)
                unplaced = type == nil ? missing - made : 0
                guard type != nil else { return }
            }
            var row = ReplicaRow(
                id: "\(wish.deployment)-\(nextNumber)", deployment: wish.deployment,
                revision: wish.revision, epoch: wish.epoch, at: now)
            (row.gpus, row.gpuType) = (wish.rules.gpus, type)
            nextNumber += 1
            rows.append(row)
            events.append(FleetEvent(replica: row.id, from: nil, to: .reserved, reason: ""))
        }
    }

    /// A draining replica that is wanted again is as good as new and there at once.
    private mutating func revive(
        _ count: Int, _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ now: Date
    ) -> Int {
        guard count > 0 else { return 0 }
        let candidates = rows.indices.filter {
            rows[$0].phase == .draining && wish.isCurrent(rows[$0])
                && sightings[rows[$0].id]?.isReachable ?? false
                && sightings[rows[$0].id]?.process == .running(attempt: rows[$0].attempt)
        }.prefix(count)
        for index in candidates { change(index, to: .ready, "wanted again", at: now) }
        return candidates.count
    }

    /// Starts what waits for its start and may.
    mutating func start(
        _ wish: FleetWish, _ sightings: [String: ReplicaSighting], _ now: Date
    ) {
        for index in rows.indices {
            switch rows[index].phase {
            case .reserved: break
            case .failed:
                let sighting = sightings[rows[index].id] ?? ReplicaSighting()
                // The next process has the same address: no worker may still think it proved.
                guard Self.isGone(sighting, rows[index]), sighting.role == .absent,
                    rows[index].notBefore.map({ now >= $0 }) ?? true
                else { continue }
            default: continue
            }
            rows[index].attempt += 1
            (rows[index].orderedAt, rows[index].address) = (now, nil)
            rows[index].history.started(at: now)
            change(index, to: .spawning, at: now, for: wish.rules.spawnLimit)
        }
    }
}
