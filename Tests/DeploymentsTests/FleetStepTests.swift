// One step at a time: what an observation does to a replica, and what a wish does to the fleet. The
// whole in motion is FleetSimulationTests' affair.

import Deployments
import Foundation
import Testing

private struct Fleet {
    var wish = FleetWish(deployment: "iris")
    var rows: [ReplicaRow] = []
    var sightings: [String: ReplicaSighting] = [:]
    var pool = GPUPool()
    var now = Date(timeIntervalSince1970: 1_700_000_000)

    init(count: Int = 1) { wish.count = count }

    @discardableResult
    mutating func step(nextNumber: Int? = nil) -> FleetStep {
        let step = FleetStep(
            wish, rows: rows, sightings: sightings, nextNumber: nextNumber ?? rows.count,
            pool: &pool, now: now)
        rows = step.rows
        return step
    }

    mutating func see(_ id: String, _ change: (inout ReplicaSighting) -> Void) {
        change(&sightings[id, default: ReplicaSighting()])
    }

    /// A replica that got so far in good order.
    mutating func makeReady() {
        step()
        for row in rows where row.phase != .ready {
            see(row.id) {
                ($0.process, $0.address) = (.running(attempt: row.attempt), "unix:/\(row.id)")
                ($0.answers, $0.proof, $0.role) = (true, .passed, .serving)
            }
        }
        for _ in 0..<4 { step() }
    }

    var phases: [ReplicaPhase] { rows.map(\.phase) }
}

@Suite struct FleetStepTests {
    @Test func `a new replica goes through every phase on observations alone`() {
        var fleet = Fleet()
        #expect(fleet.step().events.map(\.to) == [.reserved, .spawning])
        #expect(fleet.step().isEmpty)
        fleet.see("iris-0") { $0.process = .running(attempt: 1) }
        fleet.step()
        #expect(fleet.phases == [.loading])
        fleet.see("iris-0") { $0.answers = true }
        fleet.step()
        #expect(fleet.phases == [.warming])
        #expect(fleet.step().isEmpty)
        fleet.see("iris-0") { $0.proof = .passed }
        fleet.step()
        #expect(fleet.phases == [.ready])
    }

    @Test func `a process of an earlier attempt proves nothing`() {
        var fleet = Fleet()
        fleet.step()
        fleet.see("iris-0") { $0.process = .ended(attempt: 0, reason: "long ago") }
        #expect(fleet.step().isEmpty)
    }

    @Test func `one that ends waits for its pause, and for every worker to have forgotten it`() {
        var fleet = Fleet()
        fleet.makeReady()
        fleet.see("iris-0") { $0.process = .ended(attempt: 1, reason: "killed by signal 9") }
        let step = fleet.step()
        #expect(fleet.phases == [.failed])
        #expect(fleet.rows[0].cause == "killed by signal 9")
        #expect(step.wake.map { $0 > fleet.now && $0 <= fleet.now + 1 } == true)
        fleet.now += 2
        #expect(fleet.step().isEmpty)
        fleet.see("iris-0") { $0.role = .absent }
        fleet.step()
        #expect(fleet.phases == [.spawning])
        #expect(fleet.rows[0].attempt == 2)
    }

    @Test func `a proof that fails is a failed start`() {
        var fleet = Fleet()
        fleet.step()
        fleet.see("iris-0") {
            ($0.process, $0.answers) = (.running(attempt: 1), true)
            $0.proof = .failed("status 500")
        }
        for _ in 0..<3 { fleet.step() }
        #expect(fleet.phases == [.failed])
        #expect(fleet.rows[0].cause.contains("status 500"))
        #expect(
            ReplicaOrder(fleet.rows[0], fleet.sightings["iris-0", default: ReplicaSighting()])
                == .kill(replica: "iris-0"))
    }

    @Test(arguments: [ReplicaPhase.loading, .warming])
    func `a phase that lasts too long is given up`(_ phase: ReplicaPhase) {
        var fleet = Fleet()
        fleet.step()
        fleet.see("iris-0") { $0.process = .running(attempt: 1) }
        fleet.see("iris-0") { $0.answers = phase == .warming }
        while !fleet.step().isEmpty {}
        #expect(fleet.phases == [phase])
        fleet.now += 601
        fleet.step()
        #expect(fleet.phases == [.failed])
    }

    @Test func `draining waits for every worker and for the last request`() {
        var fleet = Fleet(count: 2)
        fleet.makeReady()
        fleet.wish.count = 1
        fleet.step()
        #expect(fleet.phases == [.ready, .draining])
        fleet.see("iris-1") { ($0.role, $0.inFlight) = (nil, 0) }
        #expect(fleet.step().isEmpty)
        fleet.see("iris-1") { ($0.role, $0.inFlight) = (.drained, 1) }
        #expect(fleet.step().isEmpty)
        fleet.see("iris-1") { $0.inFlight = 0 }
        fleet.step()
        #expect(fleet.phases == [.ready, .stopping])
        fleet.see("iris-1") { $0.process = .ended(attempt: 1, reason: "exited with code 0") }
        fleet.step()
        #expect(fleet.phases == [.ready, .exited])
    }

    @Test func `the time for draining ends it, but never before every worker knows`() {
        var fleet = Fleet()
        fleet.makeReady()
        fleet.wish.desire = .stopped
        fleet.step()
        fleet.now += 31
        fleet.see("iris-0") { ($0.role, $0.inFlight) = (.serving, 3) }
        #expect(fleet.step().isEmpty)
        fleet.see("iris-0") { $0.role = .drained }
        fleet.step()
        #expect(fleet.phases == [.stopping])
    }

    @Test func `a restart surges first, also with one replica`() {
        var fleet = Fleet()
        fleet.makeReady()
        fleet.wish.epoch = 1
        fleet.step()
        #expect(fleet.phases == [.ready, .spawning])
        fleet.makeReady()
        #expect(fleet.phases == [.draining, .ready])
    }

    @Test func `an old replica goes only after the new one has been healthy for long enough`() {
        var fleet = Fleet()
        fleet.makeReady()
        fleet.wish.revision = 2
        fleet.wish.rules.minHealthy = 10
        fleet.makeReady()
        #expect(fleet.phases == [.ready, .ready])
        fleet.now += 10
        fleet.step()
        #expect(fleet.phases == [.draining, .ready])
    }

    @Test func `a new revision that never gets ready takes nothing from the old one`() {
        var fleet = Fleet(count: 2)
        fleet.makeReady()
        fleet.wish.revision = 2
        fleet.step()
        for _ in 0..<20 {
            for row in fleet.rows where row.revision == 2 {
                fleet.see(row.id) {
                    $0.process = .ended(attempt: row.attempt, reason: "no")
                    $0.role = .absent
                }
            }
            fleet.now += 61
            fleet.step()
        }
        #expect(fleet.rows.count { $0.phase == .ready && $0.revision == 1 } == 2)
        #expect(fleet.rows.last?.history.isCrashLooping == true)
    }

    @Test func `what never worked leaves at once when the next edit comes`() {
        var fleet = Fleet()
        fleet.step()
        fleet.see("iris-0") { $0.process = .ended(attempt: 1, reason: "no such file") }
        fleet.step()
        fleet.wish.revision = 2
        fleet.step()
        #expect(fleet.phases == [.exited, .spawning])
    }

    @Test func `a draining replica that is wanted again comes back`() {
        var fleet = Fleet(count: 2)
        fleet.makeReady()
        fleet.wish.count = 1
        fleet.step()
        fleet.wish.count = 2
        let step = fleet.step()
        #expect(fleet.phases == [.ready, .ready])
        #expect(step.events.map(\.reason) == ["wanted again"])
    }

    @Test func `without a free GPU no replica is made, and it is said how many are missing`() {
        var fleet = Fleet(count: 3)
        fleet.wish.rules.gpus = 1
        fleet.pool = GPUPool(total: ["T4": 2])
        #expect(fleet.step().unplaced == 1)
        #expect(fleet.rows.map(\.gpuType) == ["T4", "T4"])
    }

    @Test func `a frozen replica is started anew, one at a time`() {
        var fleet = Fleet(count: 2)
        fleet.makeReady()
        let now = fleet.now
        for row in fleet.rows { fleet.see(row.id) { $0.unreachableSince = now } }
        fleet.now += 119
        #expect(fleet.step().isEmpty)
        fleet.now += 1
        fleet.step()
        #expect(fleet.phases.count { $0 == .failed } == 1)
    }

    @Test func `a frozen replica that is also unwanted is killed, not asked to end`() {
        var fleet = Fleet()
        fleet.makeReady()
        let since = fleet.now
        fleet.see("iris-0") { $0.unreachableSince = since }
        fleet.now += fleet.wish.rules.unreachableLimit
        fleet.wish.desire = .stopped
        fleet.step()
        #expect(fleet.rows[0].phase == .failed)
        fleet.see("iris-0") { $0.unreachableSince = nil }
        fleet.step()
        #expect(fleet.rows[0].phase == .failed)
        let sighting = fleet.sightings["iris-0"] ?? ReplicaSighting()
        #expect(ReplicaOrder(fleet.rows[0], sighting) == .kill(replica: "iris-0"))
        fleet.see("iris-0") { $0.process = .ended(attempt: 1, reason: "killed by signal 9") }
        fleet.step()
        #expect(fleet.rows[0].phase == .exited)
    }

    @Test func `long exited replicas are forgotten, the newest last`() {
        var fleet = Fleet()
        for number in 0..<20 {
            var row = ReplicaRow(
                id: "iris-\(number)", deployment: "iris", revision: 1, epoch: 0,
                at: fleet.now + Double(number))
            row.phase = .exited
            fleet.rows.append(row)
        }
        let step = fleet.step()
        #expect(step.removed == (0..<12).map { "iris-\($0)" })
    }

    @Test func `stopping ends what is starting and drains what is ready`() {
        var fleet = Fleet(count: 2)
        fleet.makeReady()
        fleet.wish.count = 3
        fleet.step()
        fleet.wish.desire = .stopped
        fleet.step()
        #expect(fleet.phases == [.draining, .draining, .stopping])
    }
}
