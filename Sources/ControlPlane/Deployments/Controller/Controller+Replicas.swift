// What can be asked of one replica: out of the rotation and back, replaced, ended. Stored in its
// row like everything else; the reconciler does the rest.

import Foundation
import State

extension Controller {
    package func act(
        _ action: ReplicaAction, on replica: String, of name: String, asked: ChangeRequest
    ) async throws -> ChangeReceipt {
        let plan = ChangePlan(action: "replica_\(action.rawValue)")
        if asked.isDryRun {
            let entry = try await entry(name)
            _ = try place(of: replica, in: entry)
            return receipt(entry, nil, plan)
        }
        await lane.enter()
        do {
            try await actInLane(action, replica, name, asked)
            await lane.leave()
        } catch {
            await lane.leave()
            throw error
        }
        touch(name)
        return receipt(try await entry(name), nil, plan)
    }

    private func place(of replica: String, in entry: DeploymentEntry) throws -> Int {
        guard let index = entry.rows.firstIndex(where: { $0.id == replica }),
            entry.rows[index].phase != .exited
        else {
            throw ControlError.unknownReplica(
                replica, deployment: entry.name, known: entry.living.map(\.id))
        }
        return index
    }

    private func actInLane(
        _ action: ReplicaAction, _ replica: String, _ name: String, _ asked: ChangeRequest
    ) async throws {
        var entry = try await entry(name)
        let index = try place(of: replica, in: entry)
        let now = surroundings.now()
        switch action {
        case .drain: entry.rows[index].isHeld = true
        case .undrain: entry.rows[index].isHeld = false
        // Of an earlier restart than any: replaced as old ones are, a new one first.
        case .restart: entry.rows[index].epoch = ReplicaRow.condemned
        case .eject: entry.rows[index].eject(at: now)
        }
        let row = entry.rows[index]
        var transaction = Transaction(at: now, actor: asked.actor)
        try transaction.put(
            DeploymentKeys.replica(row), entry.rowVersions[replica].map { .version($0) } ?? .any,
            status: row)
        transaction.audit.append(
            AuditDraft(
                "replica.\(action.rawValue)", DeploymentKeys.replica(row),
                detail: asked.reason.map { ["reason": $0] } ?? [:], requestID: asked.requestID))
        if let key = asked.repetition, let answer = asked.answer {
            // With its work: a replica replaced before a crash is not replaced again after it.
            let plan = ChangePlan(action: "replica_\(action.rawValue)")
            transaction.answer = IdempotentAnswer(key, answer(receipt(entry, nil, plan)))
        }
        let commit = try await storeForCaller(transaction)
        entry.rowVersions[replica] = commit.documents.first?.version
        entry.sightings = entries[name]?.sightings ?? entry.sightings
        entry.judge = entries[name]?.judge ?? entry.judge
        entry.artifact = entries[name]?.artifact
        entries[name] = entry
        route(name)
    }
}

extension ReplicaRow {
    /// The epoch of one that somebody wants replaced, whatever the rest is.
    static let condemned = -1

    /// Takes no new request from now on, and waits for none of the old.
    mutating func eject(at now: Date) {
        epoch = ReplicaRow.condemned
        switch phase {
        case .ready, .draining: enter(.draining, at: now, for: 0)
        case .spawning, .loading, .warming, .failed: enter(.stopping, at: now, for: 0)
        case .reserved, .stopping, .exited: break
        }
    }
}
