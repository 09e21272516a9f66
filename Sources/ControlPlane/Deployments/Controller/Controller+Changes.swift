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
        let (_, facts) = try await decided(change, name, asked)
        await lane.enter()
        do {
            let receipt = try await performInLane(change, name, asked, facts, queued)
            await lane.leave()
            if !asked.isDryRun { touch(name) }
            return receipt
        } catch {
            await lane.leave()
            throw error
        }
    }

    private func performInLane(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest,
        _ facts: ResolvedFacts, _ queued: OperationRecord?
    ) async throws -> ChangeReceipt {
        let decision = try await decide(change, name, asked)
        let entry = entries[name]
        let plan = planned(change, decision, entry)
        if decision.isRepeat, let entry, queued == nil {
            return try await repeated(entry, plan, asked)
        }
        guard plan.fit.fits else { throw ControlError.doesNotFit(plan) }
        var edit = ChangeTransaction(
            change, decision: decision, facts: facts, asked: asked, name: name, entry: entry,
            ids: (newID(), newID()), now: surroundings.now())
        if let running = entry?.operation, edit.needsOperation {
            if change == .restart, running.view.action == change.action {
                return receipt(entry, running, plan)
            }
            switch conflict(change, asked, running) {
            case .refuse: throw ControlError.busy(operation: running.view)
            case .supersede: try edit.supersede(running, entry?.queue ?? [])
            case .queue where !asked.isDryRun:
                return try await enqueue(change, asked, entry, plan)
            case .queue: break
            }
        }
        if asked.isDryRun { return edit.preview(plan: plan, isExecutable: true) }
        try edit.finish(queued: queued, plan: plan)
        return try await committed(edit, plan, entry)
    }

    /// Nothing changes; a repetition still gets its answer remembered.
    private func repeated(
        _ entry: DeploymentEntry, _ plan: ChangePlan, _ asked: ChangeRequest
    ) async throws -> ChangeReceipt {
        let receipt = receipt(entry, entry.operation, plan)
        if !asked.isDryRun, let key = asked.repetition, let answer = asked.answer {
            var transaction = Transaction(at: surroundings.now(), actor: asked.actor)
            transaction.answer = IdempotentAnswer(key, answer(receipt))
            _ = try await storeForCaller(transaction)
        }
        return receipt
    }

    /// Stopping and deleting end whatever is under way; nobody has to ask twice.
    private func conflict(
        _ change: DeploymentChange, _ asked: ChangeRequest, _ running: OperationRecord
    ) -> ChangeRequest.OnConflict {
        switch change {
        case .stop, .delete: .supersede
        default: asked.onConflict
        }
    }

    private func committed(
        _ edit: ChangeTransaction, _ plan: ChangePlan, _ entry: DeploymentEntry?
    ) async throws -> ChangeReceipt {
        let commit = try await storeForCaller(edit.transaction)
        var next = try edit.entry(after: commit)
        let ended = [entry?.operation, edit.superseded].compactMap { $0?.id }
        if let present = entries[next.name] {
            next.judge = present.judge
            next.artifact = present.artifact
            next.sightings = present.sightings
        }
        entries[next.name] = next
        for id in ended where id != next.operation?.id { finish(id) }
        route(next.name)
        logger.notice(
            "deployment changed",
            metadata: [
                "deployment": "\(next.name)", "action": "\(edit.change.action)",
                "actor": "\(edit.asked.actor)",
            ])
        return receipt(next, next.operation, plan)
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

    // MARK: Deciding

    private func decided(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest
    ) async throws -> (ChangeDecision, ResolvedFacts) {
        let decision = try await decide(change, name, asked)
        let facts = try await resolve(decision, entries[name], asked)
        try check(decision, facts)
        return (decision, facts)
    }

    private func decide(
        _ change: DeploymentChange, _ name: String, _ asked: ChangeRequest
    ) async throws -> ChangeDecision {
        let deletedAt = entries[name] == nil ? await surroundings.deletedAt(name) : nil
        if entries[name] == nil, await director.isServiceOfFile(name) {
            throw ControlError.nameTaken(name)
        }
        let decider = ChangeDecider(
            entry: entries[name], name: name, asked: asked, deletedAt: deletedAt,
            now: surroundings.now())
        return try decider.decide(change)
    }

    /// Which files the new revision means, by digest, and which versions of secrets and configs.
    private func resolve(
        _ decision: ChangeDecision, _ entry: DeploymentEntry?, _ asked: ChangeRequest
    ) async throws -> ResolvedFacts {
        var facts = try await resolveArtifact(decision, entry, asked)
        guard let revision = decision.revision, !revision.isPinned else { return facts }
        do {
            facts.pin(try await surroundings.variables.pin(decision.record.spec))
        } catch let problems as SpecProblems {
            throw ControlError.invalid(problems)
        }
        return facts
    }

    private func resolveArtifact(
        _ decision: ChangeDecision, _ entry: DeploymentEntry?, _ asked: ChangeRequest
    ) async throws -> ResolvedFacts {
        guard let revision = decision.revision else {
            return entry?.wantedRevision?.content.facts ?? ResolvedFacts()
        }
        if let facts = revision.facts { return facts }
        let spec = decision.record.spec
        guard spec.usesArtifact else { return ResolvedFacts() }
        do {
            let registry = surroundings.registry
            let version =
                spec.artifact == nil || asked.isDryRun
                ? try await registry.version(spec.version, of: spec.model)
                : try await registry.register(
                    ModelVersionDraft(
                        model: spec.model, version: spec.version, artifact: spec.artifact),
                    by: asked.actor, at: surroundings.now())
            return ResolvedFacts(artifact: version.artifact)
        } catch ModelError.unknown where spec.artifact != nil && asked.isDryRun {
            // The change itself would register it.
            return ResolvedFacts()
        } catch let error as ModelError {
            throw ControlError.model(error)
        }
    }

    /// What can be known of a replica before one runs.
    private func check(_ decision: ChangeDecision, _ facts: ResolvedFacts) throws {
        guard decision.revision != nil else { return }
        let spec = decision.record.spec
        var replica = ReplicaSpec(
            name: "\(spec.name)-999999", deployment: spec.name, model: spec.model,
            version: spec.version, command: spec.commandLine,
            artifact: facts.artifact?.path ?? spec.artifact, environment: spec.variables)
        replica.resources = ReplicaResources(spec.resources)
        do {
            try surroundings.runtime.check(replica)
        } catch {
            throw ControlError.invalid(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer(["command"]), code: .invalid, message: "\(error)")
                ]))
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
