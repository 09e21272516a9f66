// Changes that people ask for: decided, planned, stored as one transaction, and only then told to
// the replicas. Files are looked up before the lane is entered, because a digest takes its time.

import Foundation
import Logging
import Notation
import Replicas
import State

extension Controller {
    package func plan(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest
    ) async throws -> ChangePlan {
        let (decision, _) = try await decided(change, name, asked)
        return planned(change, decision, entries[name])
    }

    package func perform(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest
    ) async throws -> ChangeReceipt {
        try await perform(change, of: name, asked: asked, queued: nil)
    }

    /// - Parameter queued: the operation that has waited for this.
    func perform(
        _ change: DeploymentChange, of name: String, asked: ChangeRequest,
        queued: OperationRecord?
    ) async throws -> ChangeReceipt {
        if let readOnlyBecause, !asked.isDryRun {
            throw ControlError.readOnly(reason: readOnlyBecause)
        }
        var attempt = 1
        while true {
            let (decision, resolved) = try await decided(change, name, asked)
            await lane.enter()
            do {
                let receipt = try await performInLane(
                    change, name, asked, decision, resolved, queued)
                await lane.leave()
                if !asked.isDryRun {
                    wake(name)
                    touch(name)
                }
                return receipt
            } catch {
                await lane.leave()
                guard error.isWorthAnotherLook, attempt < Limits.decisionAttempts else {
                    throw error
                }
                attempt += 1
            }
        }
    }

    private func performInLane(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest,
        _ first: ChangeDecision, _ resolved: ResolvedChange, _ queued: OperationRecord?
    ) async throws -> ChangeReceipt {
        let decision = try await decide(change, name, asked)
        // What was looked up is for the first decision alone.
        if decision.revision != nil, !decision.looksUp(thatOf: first) {
            throw ControlError.overtaken(deployment: name)
        }
        let entry = entries[name]
        if let queued, entry?.queue.contains(where: { $0.id == queued.id }) != true {
            throw ControlError.unknownOperation(queued.id)
        }
        let plan = planned(change, decision, entry)
        let endsQueue = change == .delete || stops(change, asked)
        if decision.isRepeat, let entry, queued == nil {
            // What waits would make something else of it: then it waits, too, or is the last word.
            if entry.queue.isEmpty || !(endsQueue || asked.onConflict == .queue) {
                return try await repeated(change, entry, plan, asked)
            }
            if asked.onConflict == .queue, !asked.isDryRun {
                return try await enqueue(change, asked, entry, plan)
            }
        }
        guard plan.fit.fits else { throw ControlError.doesNotFit(plan) }
        var edit = ChangeTransaction(
            change, decision: decision, resolved: resolved, asked: asked, name: name,
            entry: entry, ids: (newID(), newID()), now: surroundings.now())
        if let ahead = entry?.operation ?? (queued == nil ? entry?.queue.first : nil),
            edit.needsOperation
        {
            switch conflict(change, asked, ahead) {
            case .refuse: throw ControlError.busy(operation: ahead.view)
            case .same: return receipt(entry, ahead, plan)
            case .join: edit.join(ahead)
            case .supersede:
                try edit.supersede(ahead, entry?.queue.filter { $0.id != ahead.id } ?? [])
            case .queue where !asked.isDryRun:
                return try await enqueue(change, asked, entry, plan)
            case .queue: break
            }
        }
        if endsQueue, edit.superseded == nil {
            try edit.drop(entry?.queue.filter { $0.id != queued?.id } ?? [])
            if let running = entry?.operation { edit.join(running) }
        }
        if asked.isDryRun { return edit.preview(plan: plan, isExecutable: true) }
        if let version = resolved.version {
            try surroundings.registry.add(version, to: &edit.transaction)
        }
        try edit.finish(queued: queued, plan: plan)
        return try await committed(edit, plan)
    }

    /// Nothing changes; a repetition still gets its answer remembered.
    private func repeated(
        _ change: DeploymentChange, _ entry: DeploymentEntry, _ plan: ChangePlan,
        _ asked: ChangeRequest
    ) async throws -> ChangeReceipt {
        // Who asks for what is at work waits with it; anything else is there already.
        let running = entry.operation.flatMap {
            $0.view.action == change.action && change.mayTakeTime ? $0 : nil
        }
        let receipt = receipt(entry, running, plan)
        if !asked.isDryRun, let key = asked.repetition, let answer = asked.answer {
            var transaction = Transaction(at: surroundings.now(), actor: asked.actor)
            transaction.answer = IdempotentAnswer(key, answer(receipt))
            _ = try await storeForCaller(transaction)
        }
        return receipt
    }

    /// Whoever stops what is stopping already means it, whatever waits for its turn.
    private func stops(_ change: DeploymentChange, _ asked: ChangeRequest) -> Bool {
        guard case .stop = change else { return false }
        return (asked.onConflict ?? change.usualConflict) == .supersede
    }

    private enum Conflict {
        case refuse, queue, supersede
        /// What is at work does this as well.
        case join
        /// It is what is at work.
        case same
    }

    private func conflict(
        _ change: DeploymentChange, _ asked: ChangeRequest, _ running: OperationRecord
    ) -> Conflict {
        // A restart asks for nothing that could contradict what replaces replicas anyway.
        if change == .restart, asked.onConflict == nil {
            return running.view.action == change.action ? .same : .join
        }
        return switch asked.onConflict ?? change.usualConflict {
        case .refuse: .refuse
        case .queue: .queue
        case .supersede: .supersede
        }
    }

    private func committed(
        _ edit: ChangeTransaction, _ plan: ChangePlan
    ) async throws -> ChangeReceipt {
        let commit = try await storeForCaller(edit.transaction)
        var next = try edit.entry(after: commit)
        next.keepSeen(of: entries[next.name])
        entries[next.name] = next
        route(next.name)
        logger.notice(
            "deployment changed",
            metadata: [
                "deployment": "\(next.name)", "action": "\(edit.change.action)",
                "actor": "\(edit.asked.actor)",
            ])
        return receipt(next, edit.awaited, plan)
    }

    func newID() -> String {
        DocumentID.make(at: surroundings.now(), using: &generator)
    }

    /// As `store`, with the faults of the disk as what a caller can be told.
    func storeForCaller(_ transaction: Transaction) async throws -> Commit {
        do {
            return try await store(transaction)
        } catch let error as StateError where error.isUnavailable {
            noteReadOnly("\(error)")
            throw ControlError.readOnly(reason: "\(error)")
        }
    }

    // MARK: Planning

    private func planned(
        _ change: DeploymentChange, _ decision: ChangeDecision, _ entry: DeploymentEntry?
    ) -> ChangePlan {
        let planner = ChangePlanner(facts: planFacts(of: entry, decision.record))
        return planner.plan(
            change.action, from: entry?.record.spec,
            to: change == .delete ? nil : decision.record.spec,
            replacesAll: decision.replacesAll || (decision.revision?.isForced ?? false),
            replicas: decision.replicas)
    }

    func planFacts(of entry: DeploymentEntry?, _ record: DeploymentRecord) -> PlanFacts {
        var facts = PlanFacts()
        facts.room = room()
        facts.running = entry?.living.count { !$0.phase.isLeaving } ?? 0
        var running = record
        running.desire = .running
        facts.target = running.target(at: surroundings.now())
        facts.isMeantToRun = record.desire == .running
        facts.loadTime = entry?.memory.loadSeconds.map { .seconds($0) }
        facts.startsSeen = entry?.memory.startsSeen ?? 0
        return facts
    }

    func room() -> PlanFacts.Room {
        var room = PlanFacts.Room()
        room.cpuMillis = capacity.cores * 1000
        room.memoryBytes = Int64(capacity.memoryBytes)
        for device in capacity.gpus {
            room.gpus[device.type, default: .init(count: 0, taken: 0)].count += 1
        }
        for entry in entries.values {
            for row in entry.living {
                room.cpuMillisTaken += entry.record.spec.resources.cpuMillis
                room.memoryBytesTaken += entry.record.spec.resources.memoryBytes
                if let type = row.gpuType {
                    room.gpus[type, default: .init(count: 0, taken: 0)].taken += row.gpus
                }
            }
        }
        return room
    }
}

extension IdempotentAnswer {
    init(_ key: RepetitionKey, _ answer: RepeatedAnswer) {
        self.init(
            key: IdempotencyKey(key: key.key, token: key.token), status: answer.status,
            headers: answer.headers, body: answer.body)
    }
}
