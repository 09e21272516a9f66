// Carrying orders out: each row says what its replica needs, and it is given once. What came of it
// comes back as a sighting; that an order was given changes nothing.

import Foundation
import Logging
import Replicas
import Traffic

/// An order being carried out.
struct OrderUnderWay: Sendable {
    var order: ReplicaOrder
    var task: Task<Void, Never>

    /// Waits for what cannot be broken off, ends what can.
    func settle() async {
        if order.canBeBrokenOff { task.cancel() }
        await task.value
    }
}

extension ReplicaOrder {
    var isStart: Bool {
        if case .run = self { true } else { false }
    }

    /// Asking may end at any time; a start that has begun must come to its end.
    var canBeBrokenOff: Bool {
        switch self {
        case .probe, .prove: true
        case .run, .stop, .kill: false
        }
    }
}

extension Controller {
    /// Gives each replica of a deployment the order that its row demands.
    func carryOut(_ name: String) {
        guard let entry = entries[name], !isStopping else { return }
        for row in entry.rows {
            let sighting = entry.sightings[row.id] ?? ReplicaSighting()
            give(ReplicaOrder(row, sighting), row, name)
        }
        let isDraining = entry.rows.contains { $0.phase == .draining }
        if isDraining { watchDraining() }
    }

    private func give(_ order: ReplicaOrder?, _ row: ReplicaRow, _ name: String) {
        let current = orders[row.id]
        guard let order else {
            if let current, current.order.canBeBrokenOff { current.task.cancel() }
            return
        }
        guard current?.order != order else { return }
        if current?.order.canBeBrokenOff ?? false { current?.task.cancel() }
        let task = Task {
            // One at a time for one replica: a stop never overtakes the start it is to undo.
            await current?.task.value
            await perform(order, row, name)
            done(order)
        }
        orders[row.id] = OrderUnderWay(order: order, task: task)
    }

    private func done(_ order: ReplicaOrder) {
        if orders[order.replica]?.order == order { orders[order.replica] = nil }
    }

    private func perform(_ order: ReplicaOrder, _ row: ReplicaRow, _ name: String) async {
        switch order {
        case .run(let replica, let attempt): await run(replica, attempt, row, name)
        case .probe(let replica): await probe(replica, row, name)
        case .prove(let replica): await prove(replica, name)
        case .stop(let replica, let killAt):
            let grace = max(0, killAt.timeIntervalSince(surroundings.now()))
            await end(replica, name, grace: .seconds(grace))
        case .kill(let replica): await end(replica, name, grace: .zero)
        }
    }

    // MARK: Starting

    private func run(_ replica: String, _ attempt: Int, _ row: ReplicaRow, _ name: String) async {
        see(replica, of: name) { sighting in
            sighting.newProcess()
            sighting.process = .unknown
        }
        do {
            guard let entry = entries[name] else {
                throw ControlError.notFound(deployment: name, deletedAt: nil)
            }
            try await verify(entry, row)
            let values = try await variables(entry, row)
            guard let spec = try entry.replicaSpec(of: row, values) else {
                throw ControlError.unknownRevision(
                    row.revision, deployment: name, known: entry.revisions.keys.sorted(by: >))
            }
            let run = try await surroundings.runtime.start(spec)
            follow(run, replica, name, attempt: attempt)
        } catch {
            see(replica, of: name) {
                $0.process = .ended(attempt: attempt, reason: "not started: \(error)")
            }
        }
    }

    /// What runs is what was registered, each time.
    private func verify(_ entry: DeploymentEntry, _ row: ReplicaRow) async throws {
        guard let artifact = entry.revisions[row.revision]?.content.facts.artifact else { return }
        do {
            try await surroundings.registry.verify(artifact)
            setArtifact(
                Verdict(true, "Verified", "sha256 \(artifact.sha256.prefix(12))…"), entry.name)
        } catch {
            setArtifact(Verdict(false, "NotVerified", "\(error)"), entry.name)
            throw error
        }
    }

    /// Fetched for each start, and kept nowhere.
    private func variables(
        _ entry: DeploymentEntry, _ row: ReplicaRow
    ) async throws -> VariableValues {
        guard let pinned = entry.revisions[row.revision]?.content.facts.pinned else {
            return VariableValues()
        }
        return try await surroundings.variables.values(pinned)
    }

    private func setArtifact(_ verdict: Verdict, _ name: String) {
        guard entries[name]?.artifact != verdict else { return }
        entries[name]?.artifact = verdict
        touch(name)
    }

    /// Hears of the end of a run, of one just started or of one taken over.
    func follow(_ run: ReplicaRun, _ replica: String, _ name: String, attempt: Int) {
        runs[replica] = run
        see(replica, of: name) {
            $0.process = .running(attempt: attempt)
            $0.address = run.record.address.description
        }
        Task {
            let end = await run.end()
            processes[replica] = run.identity?.process
            if runs[replica] === run { runs[replica] = nil }
            see(replica, of: name) {
                $0.process = .ended(attempt: attempt, reason: end.cause)
            }
        }
    }

    // MARK: Proving

    /// Good answers in a row make it loaded; the first bad one begins anew. Path and threshold may
    /// be edited meanwhile: each question is the present one.
    private func probe(_ replica: String, _ row: ReplicaRow, _ name: String) async {
        guard let text = row.address, let address = NetworkAddress(text) else { return }
        var good = 0
        var pause = Limits.probePause.lowerBound
        while !Task.isCancelled, let balancer = entries[name]?.record.spec.loadBalancer {
            let fault = await surroundings.probe(address, balancer.healthPath)
            good = fault == nil ? good + 1 : 0
            see(replica, of: name) { $0.fault = fault.map { "\(balancer.healthPath): \($0)" } }
            if good >= balancer.healthyThreshold {
                return see(replica, of: name) { $0.answers = true }
            }
            // Cancelled: the loop's condition sees it.
            try? await Task.sleep(for: good > 0 ? Limits.probePause.lowerBound : pause)
            pause = min(pause * 2, Limits.probePause.upperBound)
        }
    }

    /// Through the data path, as clients would: every worker has its private route.
    private func prove(_ replica: String, _ name: String) async {
        guard let spec = entries[name]?.record.spec else { return }
        let paths = spec.lifecycle.smokePaths
        for path in paths.isEmpty ? [spec.loadBalancer.healthPath] : paths {
            var fault: String? = "not asked"
            for _ in 0..<Limits.proofAttempts where fault != nil && !Task.isCancelled {
                fault = await surroundings.prove(proofHost(replica), path)
                // Cancelled: the loop's condition sees it.
                if fault != nil { try? await Task.sleep(for: Limits.proofPause) }
            }
            if Task.isCancelled { return }
            if let fault {
                return see(replica, of: name) { $0.proof = .failed("\(path): \(fault)") }
            }
        }
        see(replica, of: name) { $0.proof = .passed }
    }

    // MARK: Ending

    private func end(_ replica: String, _ name: String, grace: Duration) async {
        guard let run = runs[replica] else {
            // Neither taken over nor started: there is nothing to end. The end of an earlier
            // attempt says nothing of the present one, which never began.
            return see(replica, of: name) { $0.process = .absent }
        }
        await surroundings.runtime.stop(run, grace: grace)
        _ = await run.end()
    }
}
