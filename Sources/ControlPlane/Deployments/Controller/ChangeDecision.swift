// What a change makes of a deployment: the record as it shall be stored, a revision where replicas
// have to be replaced, and whether there is anything to wait for. Pure; the controller asks it
// first, so that a change that is refused has touched nothing.

import Foundation
import Notation

struct ChangeDecision: Equatable {
    /// A revision to be made of the record's spec.
    struct NewRevision: Equatable {
        var kind: Revision.Kind
        var rollbackOf: Int?
        /// What is known of an older revision's files; nil has them looked up.
        var facts: ResolvedFacts?
        /// Secrets and configs stay at the versions that `facts` say.
        var isPinned = false
        /// Made even when nothing differs.
        var isForced = false
    }

    var record: DeploymentRecord
    var revision: NewRevision?
    /// All replicas are replaced although no field differs.
    var replacesAll = false
    /// The number of replicas asked for, for the plan.
    var replicas: Int?
    /// It is so already.
    var isRepeat = false

    /// Whether what was looked up for another decision is right for this one, too: a live field
    /// that was edited meanwhile changes nothing of it.
    func looksUp(thatOf other: ChangeDecision) -> Bool {
        let edits = EditSummary(from: other.record.spec, to: record.spec)
        return revision == other.revision && !edits.makesRevision && edits.immutable.isEmpty
    }
}

struct ChangeDecider {
    /// Nil when there is no deployment of the name.
    var entry: DeploymentEntry?
    var name: String
    var asked: ChangeRequest
    var deletedAt: Date?
    var now: Date

    func decide(_ change: DeploymentChange) throws -> ChangeDecision {
        if case .create(let spec) = change { return try create(spec) }
        if case .apply(let spec) = change, entry == nil {
            var decision = try create(spec)
            decision.record.lastApplied = spec
            decision.record.appliedFrom = asked.source
            return decision
        }
        guard let entry else {
            throw ControlError.notFound(deployment: name, deletedAt: deletedAt)
        }
        if let expected = asked.expectedVersion, expected != entry.etag {
            throw ControlError.stale(expected: expected, found: entry.etag)
        }
        if entry.record.desire == .deleted {
            guard change == .delete else {
                throw illegal(change, entry, "wait for its end; the name is free again then")
            }
            return ChangeDecision(record: entry.record, isRepeat: true)
        }
        let decision = try decide(change, entry)
        try checkRights(entry.record.spec, decision.record.spec)
        return decision
    }

    private func decide(
        _ change: DeploymentChange, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        switch change {
        case .create: preconditionFailure("a create is decided before")
        case .patch(let patch):
            try edit(entry) { spec throws(SpecProblems) in
                try SpecPatch().apply(patch, to: spec).spec
            }
        case .apply(let spec): try apply(spec, entry)
        case .scale(let replicas, let until): try scale(replicas, until, change, entry)
        case .stop(let message): stop(message, entry)
        case .start: try start(change, entry)
        case .restart: try restart(change, entry)
        case .updateModel(let version, let artifact, let strategy):
            try updateModel(version, artifact, strategy, entry)
        case .redeploy(let number, let patch): try redeploy(number, patch, entry)
        case .rollback(let number, let strategy): try rollBack(number, strategy, entry)
        case .delete: changed(entry) { $0.desire = .deleted }
        }
    }

    private func create(_ spec: DeploymentSpec) throws -> ChangeDecision {
        if entry != nil { throw ControlError.nameTaken(spec.name) }
        try checkRights(nil, spec)
        return ChangeDecision(
            record: DeploymentRecord(spec: spec), revision: .init(kind: .create, isForced: true))
    }

    // MARK: Fields

    private func edit(
        _ entry: DeploymentEntry, kind: Revision.Kind = .config,
        _ change: (DeploymentSpec) throws(SpecProblems) -> DeploymentSpec
    ) throws -> ChangeDecision {
        let next: DeploymentSpec
        do {
            next = try change(entry.record.spec)
        } catch {
            throw ControlError.invalid(error)
        }
        var decision = changed(entry) { $0.spec = next }
        if EditSummary(from: entry.record.spec, to: next).makesRevision {
            decision.revision = .init(kind: kind)
        }
        return decision
    }

    /// Compared with what was applied by now, not when it was sent: others may have been between.
    private func apply(
        _ spec: DeploymentSpec, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        let old = entry.record.spec
        let merged = SpecMerge.merged(spec, last: entry.record.lastApplied, over: old)
        for (field, isSame) in [
            ("model", merged.model == old.model),
            ("environment", merged.environment == old.environment),
        ] where !isSame {
            throw ControlError.invalid(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer([field]), code: .immutable,
                        message: "'\(field)' of deployment '\(name)' never changes")
                ]))
        }
        var decision = try edit(
            entry, kind: merged.version == old.version ? .config : .update
        ) { _ in merged }
        decision.record.lastApplied = spec
        decision.record.appliedFrom = asked.source
        decision.record.isOrphaned = false
        decision.isRepeat = decision.record == entry.record
        return decision
    }

    private func updateModel(
        _ version: String, _ artifact: String?, _ strategy: StrategySpec?,
        _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        let patch = JSONValue.object([
            "version": .string(version), "artifact": artifact.map(JSONValue.string) ?? .null,
        ])
        var decision = try edit(entry, kind: .update) { spec throws(SpecProblems) in
            var next = try SpecPatch(purpose: .updateModel).apply(patch, to: spec).spec
            if let strategy { next.strategy = strategy }
            return next
        }
        decision.revision?.isForced = true
        return decision
    }

    // MARK: Revisions

    private func redeploy(
        _ number: Int?, _ patch: JSONValue?, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        let old = try revision(number ?? entry.record.revision, entry)
        var decision = try edit(entry, kind: .redeploy) { spec throws(SpecProblems) in
            let again = try old.content.applied(to: spec)
            return try patch.map { patch throws(SpecProblems) in
                try SpecPatch().apply(patch, to: again).spec
            } ?? again
        }
        // The present one again takes up the newest secrets and configs; an older one is itself.
        decision.revision = .init(
            kind: .redeploy, facts: old.content.facts, isPinned: number != nil && patch == nil,
            isForced: true)
        decision.isRepeat = false
        return decision
    }

    private func rollBack(
        _ number: Int?, _ strategy: StrategySpec?, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        let ages = ContentAges(entry)
        let good = entry.memory.goodRevisions.last {
            $0 != entry.record.revision && entry.revisions[$0] != nil
                && (asked.mayUpdate || ages.isBack($0))
        }
        guard let target = number ?? good else {
            throw ControlError.illegal(
                action: "rollback", status: entry.status.word.rawValue,
                hint: "no earlier revision of '\(name)' has run as it should; name one")
        }
        if !asked.mayUpdate { try checkIsBack(target, strategy, entry, ages) }
        let old = try revision(target, entry)
        var decision = try edit(entry, kind: .rollback) { spec throws(SpecProblems) in
            var next = try old.content.applied(to: spec)
            if let strategy { next.strategy = strategy }
            return next
        }
        decision.revision = .init(
            kind: .rollback, rollbackOf: target, facts: old.content.facts, isPinned: true,
            isForced: true)
        decision.isRepeat = false
        return decision
    }

    /// The safe direction needs fewer rights than the risky one.
    private func checkIsBack(
        _ target: Int, _ strategy: StrategySpec?, _ entry: DeploymentEntry, _ ages: ContentAges
    ) throws {
        _ = try revision(target, entry)
        guard entry.memory.goodRevisions.contains(target) else {
            throw ControlError.needsUpdate(
                what: "run revision \(target), which has never run as it should")
        }
        guard ages.isBack(target) else {
            throw ControlError.needsUpdate(
                what: "go forward to revision \(target): its content is newer than what runs")
        }
        guard strategy == nil || strategy == entry.record.spec.strategy else {
            throw ControlError.needsUpdate(
                what: "give '\(name)' another strategy, which would stay its own")
        }
    }

    private func revision(_ number: Int, _ entry: DeploymentEntry) throws -> Revision {
        guard let found = entry.revisions[number] else {
            throw ControlError.unknownRevision(
                number, deployment: name, known: entry.revisions.keys.sorted(by: >))
        }
        return found
    }

    // MARK: Running or not

    private func scale(
        _ replicas: Int?, _ until: Date?, _ change: DeploymentChange, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        guard entry.record.desire == .running else {
            throw illegal(change, entry, "start it first: penstock start \(name)")
        }
        if let replicas, !(0...Limits.replicas).contains(replicas) {
            throw outOfRange("replicas", replicas, "0 to \(Limits.replicas)")
        }
        if let until, until <= now {
            throw ControlError.invalid(
                SpecProblems([
                    SpecProblem(
                        pointer: JSONPointer(["until"]), code: .outOfRange,
                        message: "'until' is not in the future")
                ]))
        }
        var decision = changed(entry) { record in
            record.manualScale = replicas.map {
                ManualScale(replicas: $0, until: until, by: asked.actor, reason: asked.reason)
            }
        }
        decision.replicas = decision.record.target(at: now)
        return decision
    }

    private func stop(_ message: String?, _ entry: DeploymentEntry) -> ChangeDecision {
        changed(entry) { ($0.desire, $0.stopMessage) = (.stopped, message) }
    }

    private func start(
        _ change: DeploymentChange, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        if entry.record.desire == .stopped {
            return changed(entry) { ($0.desire, $0.stopMessage) = (.running, nil) }
        }
        if entry.operation?.view.action == change.action {
            return ChangeDecision(record: entry.record, isRepeat: true)
        }
        guard entry.status.word == .failed else {
            throw illegal(change, entry, "it runs; to replace its replicas: restart")
        }
        var decision = changed(entry) { $0.epoch += 1 }
        decision.replacesAll = true
        return decision
    }

    private func restart(
        _ change: DeploymentChange, _ entry: DeploymentEntry
    ) throws -> ChangeDecision {
        guard entry.record.desire == .running else {
            throw illegal(change, entry, "start it: penstock start \(name)")
        }
        var decision = changed(entry) { $0.epoch += 1 }
        decision.replacesAll = true
        return decision
    }

    // MARK: Refusing

    private func changed(
        _ entry: DeploymentEntry, _ edit: (inout DeploymentRecord) -> Void
    ) -> ChangeDecision {
        var record = entry.record
        edit(&record)
        return ChangeDecision(record: record, isRepeat: record == entry.record)
    }

    private func illegal(
        _ change: DeploymentChange, _ entry: DeploymentEntry, _ hint: String
    ) -> ControlError {
        .illegal(action: change.action, status: entry.status.word.rawValue, hint: hint)
    }

    private func outOfRange(_ field: String, _ value: Int, _ allowed: String) -> ControlError {
        .invalid(
            SpecProblems([
                SpecProblem(
                    pointer: JSONPointer([field]), code: .outOfRange,
                    message: "\(value) is not allowed; allowed: \(allowed)")
            ]))
    }

    private func checkRights(_ old: DeploymentSpec?, _ new: DeploymentSpec) throws {
        guard new.environment == .production, !new.isMonitored, old?.isMonitored ?? true,
            !asked.isAdmin
        else { return }
        throw ControlError.needsAdmin(what: "a production deployment without monitoring")
    }
}
