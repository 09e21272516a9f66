// The controller's loop reduced to its protocol: step, commit, then effects; observed outcomes come
// back as sightings. It can be cut off at either side of any commit, and then knows only what is on
// its disk.

import Deployments
import Foundation
import Traffic

struct SimulatedController {
    enum Fault {
        case none
        case commitFails
        case crashBeforeCommit
        case crashAfterCommit
    }

    /// Survives a crash.
    struct Disk {
        var wishes: [String: FleetWish] = [:]
        var rows: [String: [ReplicaRow]] = [:]
        var nextNumbers: [String: Int] = [:]
    }

    var disk = Disk() {
        didSet { routed = nil }
    }
    var sightings: [String: ReplicaSighting] = [:]
    /// What was routed for this disk and these sightings; nil since one of them has changed.
    private var routed: [String: TrafficRole]?
    /// Orders given whose outcome has not been seen.
    var gpus: [String: Int] = [:]
    var commits = 0
    /// How often a fault was met.
    var faultsMet = 0

    func rows(of name: String) -> [ReplicaRow] { disk.rows[name] ?? [] }

    /// In the order of the deployments' names, the same in every run.
    private var allRows: [ReplicaRow] {
        disk.rows.sorted { $0.key < $1.key }.flatMap(\.value)
    }

    private mutating func roles() -> [String: TrafficRole] {
        if let routed { return routed }
        var roles: [String: TrafficRole] = [:]
        for (name, rows) in disk.rows {
            let revision = disk.wishes[name]?.revision ?? 1
            let routing = FleetRouting(rows, sightings: sightings, revision: revision)
            roles.merge(routing.roles) { $1 }
        }
        routed = roles
        return roles
    }

    /// Publishes what is stored before anything else, then looks who is still there.
    mutating func restart(in world: inout FleetWorld) {
        (sightings, routed) = ([:], nil)
        world.restartGateway(roles())
        see(&world)
    }

    mutating func see(_ world: inout FleetWorld) {
        for row in allRows {
            var sighting = sightings[row.id] ?? ReplicaSighting()
            let process = world.process(of: row.id)
            if process != sighting.process, case .running = process { sighting.newProcess() }
            sighting.process = process
            sighting.address = "unix:/run/\(row.id).sock"
            if let process = world.processes[row.id] {
                let isFrozen = process.frozenUntil > world.now
                sighting.answers = sighting.answers || (process.readyAt <= world.now && !isFrozen)
                sighting.unreachableSince = isFrozen ? sighting.unreachableSince ?? world.now : nil
                if process.isProved { sighting.proof = .passed }
            }
            sighting.role = world.confirmedRole(of: row.id)
            sighting.inFlight = world.inFlight(row.id)
            if sightings[row.id] != sighting { (sightings[row.id], routed) = (sighting, nil) }
        }
    }

    /// Runs steps until nothing is left to do, unless a fault cuts it short.
    mutating func run(in world: inout FleetWorld, fault: Fault = .none, at faulty: Int = 0) {
        var steps = 0
        for name in disk.wishes.keys.sorted() {
            see(&world)
            while let step = next(name, world.now) {
                let strikes = steps == faulty
                steps += 1
                if strikes, fault != .none { faultsMet += 1 }
                if strikes, fault == .commitFails { break }
                if strikes, fault == .crashBeforeCommit { return restart(in: &world) }
                check(name, step, &world)
                disk.rows[name] = step.rows
                disk.nextNumbers[name] = step.nextNumber
                commits += 1
                if strikes, fault == .crashAfterCommit { return restart(in: &world) }
                effects(&world)
                see(&world)
            }
        }
        effects(&world)
    }

    private func next(_ name: String, _ now: Date) -> FleetStep? {
        guard let wish = disk.wishes[name] else { return nil }
        var pool = GPUPool(total: gpus)
        for row in allRows where row.phase != .exited {
            if let type = row.gpuType { pool.hold(row.gpus, type: type) }
        }
        let step = FleetStep(
            wish, rows: rows(of: name), sightings: sightings,
            nextNumber: disk.nextNumbers[name] ?? 0, pool: &pool, now: now)
        return step.isEmpty ? nil : step
    }

    private mutating func effects(_ world: inout FleetWorld) {
        _ = world.publish(roles())
        for row in allRows {
            let sighting = sightings[row.id] ?? ReplicaSighting()
            if let order = ReplicaOrder(row, sighting) { world.carryOut(order) }
        }
    }

    /// What no step may do.
    private func check(_ name: String, _ step: FleetStep, _ world: inout FleetWorld) {
        guard let wish = disk.wishes[name] else { return }
        func answering(_ rows: [ReplicaRow]) -> Int {
            rows.count {
                $0.phase == .ready && world.processes[$0.id] != nil
                    && (sightings[$0.id]?.isReachable ?? false)
            }
        }
        let (before, after) = (answering(rows(of: name)), answering(step.rows))
        if wish.isRunning, wish.count > 0, before > 0, after == 0 {
            world.note("\(name): from \(before) answering replicas to none by a step")
        }
        let floor = min(before, wish.count - wish.rules.maxUnavailable)
        if wish.isRunning, after < floor {
            world.note("\(name): \(after) answering, \(floor) must stay")
        }
        let staying = step.rows.count { !$0.phase.isLeaving }
        let had = rows(of: name).count { !$0.phase.isLeaving }
        if wish.isRunning, staying > max(had, wish.count + wish.rules.maxSurge) {
            world.note("\(name): \(staying) replicas, more than the surge allows")
        }
        let routing = FleetRouting(step.rows, sightings: sightings, revision: wish.revision)
        if routing.revisions.reduce(0, { $0 + $1.weight }) != 1000 {
            world.note("\(name): weights do not sum to 1000")
        }
        for row in rows(of: name) where row.phase == .draining {
            guard step.rows.first(where: { $0.id == row.id })?.phase == .stopping else { continue }
            let isOver = row.deadline.map { world.now >= $0 } ?? false
            if world.inFlight(row.id) > 0, !isOver {
                world.note("\(row.id) is told to end with requests under way")
            }
        }
        for (type, total) in gpus {
            let held = disk.rows.filter { $0.key != name }.values.joined() + step.rows
            let taken = held.filter { $0.gpuType == type && $0.phase != .exited }
                .reduce(0) { $0 + $1.gpus }
            if taken > total { world.note("\(taken) of \(total) \(type) are promised") }
        }
    }
}
