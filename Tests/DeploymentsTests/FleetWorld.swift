// A host and a gateway in simulated time: processes that load slowly, crash and freeze, workers
// that take up plans late, requests under way. It outlives the controller's crashes, carries out
// orders as the real runtime does, and notes every order or route that must not be.

import Deployments
import Fixtures
import Foundation

struct FleetWorld {
    struct Process {
        var attempt: Int
        var readyAt: Date
        var diesAt: Date
        var isProved = false
        var frozenUntil: Date
        /// SIGTERM was sent; it ends then.
        var endsAt: Date?
        var requestsUntil: Date
    }

    struct Plan {
        let roles: [String: TrafficRole]
        /// In order of their names.
        let serving: [String]

        init(_ roles: [String: TrafficRole] = [:]) {
            self.roles = roles
            serving = roles.keys.filter { roles[$0] == .serving }.sorted()
        }
    }

    var now = Date(timeIntervalSince1970: 1_700_000_000)
    var generator: SeededGenerator
    var processes: [String: Process] = [:]
    /// How each ended process ended: what the runtime keeps on disk.
    var endings: [String: (attempt: Int, reason: String)] = [:]
    /// Index is the generation.
    var plans = [Plan()]
    var workers = [0, 0, 0]
    /// A worker that hangs takes up nothing until then.
    var stuckUntil: [Date] = [.distantPast, .distantPast, .distantPast]
    /// By replica and attempt: how often a process was really made.
    var starts: [String: Int] = [:]
    var violations: [String] = []
    /// Chances per second.
    var crashRate = 0.005
    var freezeRate = 0.002
    var isCalm = false

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &generator) < probability
    }

    // MARK: Time

    mutating func pass(_ seconds: TimeInterval) {
        now += seconds
        if !isCalm, chance(0.002 * seconds) {
            let worker = Int.random(in: 0...2, using: &generator)
            stuckUntil[worker] = now + Double.random(in: 1...90, using: &generator)
        }
        for worker in workers.indices where isCalm || chance(0.5) && stuckUntil[worker] < now {
            let lag = isCalm || chance(0.6) ? 0 : Int.random(in: 0...2, using: &generator)
            workers[worker] = max(workers[worker], plans.count - 1 - lag)
        }
        // In order of their names: draws of the generator must not depend on hashes.
        for (id, process) in processes.sorted(by: { $0.key < $1.key }) {
            let isOver = process.endsAt.map { now >= $0 } ?? false
            if isOver || now >= process.diesAt || (!isCalm && chance(crashRate * seconds)) {
                endings[id] = (process.attempt, isOver ? "ended" : "killed by signal 9")
                processes[id] = nil
            } else if !isCalm, chance(freezeRate * seconds) {
                processes[id]?.frozenUntil = now + Double.random(in: 1...200, using: &generator)
            }
        }
        for worker in workers.indices { checkRoutes(of: worker) }
    }

    private mutating func checkRoutes(of worker: Int) {
        for id in plans[workers[worker]].serving {
            guard let process = processes[id] else { continue }
            if !process.isProved { note("worker \(worker) routes to \(id), which is not proved") }
            if process.endsAt != nil { note("worker \(worker) routes to \(id), told to end") }
            if chance(0.5) {
                let length = Double.random(in: 0...20, using: &generator)
                processes[id]?.requestsUntil = max(process.requestsUntil, now + length)
            }
        }
    }

    mutating func note(_ violation: String) {
        violations.append("\(now.timeIntervalSince1970): \(violation)")
    }

    // MARK: The gateway

    mutating func publish(_ roles: [String: TrafficRole]) -> Int {
        if plans[plans.count - 1].roles != roles { plans.append(Plan(roles)) }
        return plans.count - 1
    }

    /// As the gateway starts anew: every worker begins with this plan.
    mutating func restartGateway(_ roles: [String: TrafficRole]) {
        plans.append(Plan(roles))
        workers = workers.map { _ in plans.count - 1 }
        for id in processes.keys { processes[id]?.requestsUntil = now }
    }

    /// What every worker has confirmed: nil while they differ.
    func confirmedRole(of id: String) -> TrafficRole? {
        let oldest = min(workers[0], workers[1], workers[2])
        let role = plans[plans.count - 1].roles[id] ?? .absent
        for generation in oldest..<plans.count - 1
        where plans[generation].roles[id] ?? .absent != role { return nil }
        return role
    }

    func inFlight(_ id: String) -> Int {
        processes[id].map { $0.requestsUntil > now ? 1 : 0 } ?? 0
    }

    // MARK: The runtime

    mutating func carryOut(_ order: ReplicaOrder) {
        switch order {
        case .run(let id, let attempt): start(id, attempt)
        case .probe: break
        case .prove(let id):
            if let process = processes[id], process.readyAt <= now, process.frozenUntil <= now {
                processes[id]?.isProved = true
            }
        case .stop(let id, let killAt): stop(id, killAt)
        case .kill(let id):
            checkEnd(of: id, "killed")
            if processes[id] != nil { processes[id]?.endsAt = now }
        }
    }

    private mutating func start(_ id: String, _ attempt: Int) {
        if let process = processes[id] {
            if process.attempt != attempt { note("two processes of \(id)") }
            return
        }
        if let ending = endings[id], ending.attempt == attempt { return }
        starts["\(id)#\(attempt)", default: 0] += 1
        if starts["\(id)#\(attempt)"] != 1 { note("\(id)#\(attempt) was started twice") }
        if !isCalm, chance(0.1) {
            endings[id] = (attempt, "exited with code 1")
            return
        }
        let loading = Double.random(in: 0.2...20, using: &generator)
        let dies = !isCalm && chance(0.1) ? Double.random(in: 0...30, using: &generator) : 1e9
        processes[id] = Process(
            attempt: attempt, readyAt: now + loading, diesAt: now + dies,
            frozenUntil: now, requestsUntil: now)
    }

    private mutating func stop(_ id: String, _ killAt: Date) {
        // An attempt that never began is over once its end is asked for.
        guard let process = processes[id] else { return endings[id] = nil }
        guard process.endsAt == nil else { return }
        checkEnd(of: id, "stopped")
        let own = now + Double.random(in: 0...15, using: &generator)
        processes[id]?.endsAt = process.frozenUntil > now ? killAt : min(own, max(killAt, now))
    }

    /// R8: out of the rotation on every worker first.
    private mutating func checkEnd(of id: String, _ what: String) {
        guard let process = processes[id], process.isProved else { return }
        let isFrozen = process.frozenUntil > now
        for worker in workers where plans[worker].roles[id] == .serving && !isFrozen {
            note("\(id) is \(what) while a worker routes to it")
        }
    }

    func process(of id: String) -> ReplicaSighting.Process {
        if let process = processes[id] { return .running(attempt: process.attempt) }
        if let ending = endings[id] {
            return .ended(attempt: ending.attempt, reason: ending.reason)
        }
        return .absent
    }
}
