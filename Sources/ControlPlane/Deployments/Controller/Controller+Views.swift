// Deployments and replicas for readers: made of what is in memory, without a look at the disk, so
// that a list of hundreds costs milliseconds.

import Foundation
import Replicas
import State
import Traffic

extension DeploymentEntry {
    func view(at now: Date) -> DeploymentView {
        var view = DeploymentView(
            id: id, spec: record.spec, generation: generation, revision: record.revision,
            revisionInForce: revisionInForce, resourceVersion: etag,
            createdAt: createdAt, updatedAt: updatedAt, createdBy: createdBy,
            desire: record.desire, status: status, stopMessage: record.stopMessage,
            target: record.target(at: now), manualScale: record.manualScale(at: now),
            operation: operation?.view)
        view.lastApplied = record.lastApplied
        view.appliedFrom = record.source
        view.isOrphaned = record.isOrphaned
        return view
    }
}

extension Controller: DeploymentControl {
    package func list() async throws -> [DeploymentView] {
        let now = surroundings.now()
        return entries.keys.sorted().compactMap { name in entries[name].map { shown($0, now) } }
    }

    package func view(_ name: String) async throws -> DeploymentView {
        shown(try await entry(name), surroundings.now())
    }

    package func revisions(of name: String) async throws -> [Revision] {
        try await entry(name).revisions.values.sorted { $0.number > $1.number }
    }

    package func replicas(of name: String) async throws -> [ReplicaView] {
        let entry = try await entry(name)
        return entry.rows.map { view(of: $0, entry) }
    }

    /// Between a commit and the memory of it readers may look in; who has heard of the commit waits
    /// for the end of its turn.
    package func settle() async {
        await lane.enter()
        await lane.leave()
    }

    func entry(_ name: String) async throws -> DeploymentEntry {
        guard let entry = entries[name] else {
            throw ControlError.notFound(
                deployment: name, deletedAt: await surroundings.deletedAt(name))
        }
        return entry
    }

    func receipt(
        _ entry: DeploymentEntry?, _ operation: OperationRecord?, _ plan: ChangePlan
    ) -> ChangeReceipt {
        guard let entry else { preconditionFailure("a receipt is for what is there") }
        return ChangeReceipt(
            view: shown(entry, surroundings.now()), operation: operation?.view, plan: plan)
    }

    private func shown(_ entry: DeploymentEntry, _ now: Date) -> DeploymentView {
        var view = entry.view(at: now)
        view.enforcement = entry.enforcement ?? enforcement(of: entry)
        return view
    }

    private func enforcement(of entry: DeploymentEntry) -> [String: String] {
        let resources = ReplicaResources(entry.record.spec.resources)
        let found = Dictionary(
            uniqueKeysWithValues: surroundings.runtime.enforcement(of: resources).map {
                ($0.key.rawValue, "\($0.value)")
            })
        entries[entry.name]?.enforcement = found
        return found
    }

    private func view(of row: ReplicaRow, _ entry: DeploymentEntry) -> ReplicaView {
        var view = ReplicaView(
            name: row.id, deployment: row.deployment, revision: row.revision, phase: row.phase,
            since: row.since)
        let sighting = entry.sightings[row.id] ?? ReplicaSighting()
        view.isEjected = row.phase == .ready && !sighting.isReachable
        view.isDrained = row.isHeld || row.phase == .draining
        view.address = row.address
        view.startedAt = row.orderedAt
        view.readyAt = row.phase == .ready ? row.since : nil
        view.restarts = max(0, row.attempt - 1)
        view.waitingFor = row.waitingFor.isEmpty ? nil : row.waitingFor
        view.cause = row.cause.isEmpty ? nil : row.cause
        view.inFlight = sighting.inFlight
        guard let run = runs[row.id] else { return view }
        view.processID = run.identity.map { Int($0.process) }
        view.gpus = run.record.gpus
        view.usage = run.usage.map {
            .init(
                at: $0.at, cores: $0.cores, memoryBytes: $0.memoryBytes, gpuPercent: $0.gpuPercent)
        }
        return view
    }

    package func nodes() async -> [NodeView] {
        let owners = Dictionary(
            runs.flatMap { replica, run in run.record.gpus.map { ($0, replica) } },
            uniquingKeysWith: { first, _ in first })
        let everything = ReplicaResources(
            cpu: 1, memoryBytes: 1 << 30, gpuCount: capacity.gpus.isEmpty ? 0 : 1,
            storageBytes: 1 << 30, bandwidthMbps: 1)
        let enforcement = surroundings.runtime.enforcement(of: everything)
        return [
            NodeView(
                name: "local", room: room(),
                gpus: capacity.gpus.map {
                    .init(
                        id: $0.id, type: $0.type, memoryBytes: Int(clamping: $0.memoryBytes),
                        replica: owners[$0.id])
                },
                gpuSource: capacity.gpuSource.rawValue,
                enforcement: Dictionary(
                    uniqueKeysWithValues: enforcement.map { ($0.key.rawValue, "\($0.value)") }))
        ]
    }
}
