// One transition of one deployment: what was seen and what time it is lead to what shall be stored.
// Pure: a value with the transaction in it. The controller commits it and only then takes over the
// entry it leads to; effects follow from that entry alone.

import Foundation
import State
import Traffic

struct Transition {
    /// As it will be once the transaction is committed.
    private(set) var entry: DeploymentEntry
    private(set) var pool: GPUPool
    /// Nil when nothing has to be stored.
    private(set) var transaction: Transaction?
    /// Stored rows that changed, in the order of the transaction's puts.
    private(set) var events: [FleetEvent] = []
    /// Rows that are forgotten: long exited.
    private(set) var removed: [String] = []
    /// It was deleted and nothing of it lives: the transaction leaves only its history.
    private(set) var isOver = false

    private let before: DeploymentEntry
    private let now: Date
    private var draft: Transaction
    private var unplaced = 0

    /// - Parameter readOnlyBecause: why nothing can be stored at present; then this only tells.
    init(
        _ entry: DeploymentEntry, pool: GPUPool, at now: Date, readOnlyBecause: String? = nil
    ) throws {
        before = entry
        self.entry = entry
        self.pool = pool
        self.now = now
        draft = Transaction(at: now, actor: "system:controller")
        endManualScale()
        let wish = self.entry.wish(at: now)
        stepReplicas(wish)
        remindOfManualScale()
        weighCapacity(wish)
        try advanceOperation(wish)
        tellStatus(readOnlyBecause)
        isOver = wish.desire == .deleted && self.entry.living.isEmpty
        if isOver {
            deleteAll()
        } else {
            try putRows()
            try putDeployment()
        }
        transaction = draft.edits.isEmpty && draft.events.isEmpty ? nil : draft
    }

    // MARK: Replicas

    private mutating func stepReplicas(_ wish: FleetWish) {
        let step = FleetStep(
            wish, rows: entry.rows, sightings: entry.sightings,
            nextNumber: entry.memory.nextReplica, pool: &pool, now: now)
        events = step.events
        unplaced = step.unplaced
        entry.rows = step.rows
        entry.memory.nextReplica = step.nextNumber
        entry.wake = step.wake
        for event in step.events { note(event) }
        removed = step.removed
        for id in step.removed {
            draft.edits.append(.purge(DeploymentKeys.replica(entry.name, id), .any))
            entry.rowVersions[id] = nil
            entry.sightings[id] = nil
        }
        for row in before.rows where row.gpus > 0 && row.phase != .exited {
            let after = entry.rows.first { $0.id == row.id }
            if let type = row.gpuType, after?.phase ?? .exited == .exited {
                pool.release(row.gpus, type: type)
            }
        }
        entry.routing = FleetRouting(
            entry.rows, sightings: entry.sightings, revision: entry.record.revision,
            concurrency: entry.record.spec.concurrency)
    }

    private mutating func note(_ event: FleetEvent) {
        guard let row = entry.rows.first(where: { $0.id == event.replica }) else { return }
        if event.to == .ready, event.from == .warming {
            entry.lastProgress = now
            if let ordered = row.orderedAt {
                entry.memory.sawStart(now.timeIntervalSince(ordered))
            }
        }
        guard let reason = event.to.eventReason else { return }
        let cause = event.reason.isEmpty ? "" : ": \(event.reason)"
        draft.note(
            entry.key, event.to == .failed ? .warning : .normal, reason: reason,
            "\(event.replica) of revision \(row.revision) \(event.to.eventWords)\(cause)")
        if event.to == .spawning, row.attempt > 1, !row.history.isCrashLooping {
            draft.audit.append(
                AuditDraft(
                    "replica.restart", DeploymentKeys.replica(row),
                    detail: ["attempt": "\(row.attempt)", "cause": row.cause]))
        }
    }

    private mutating func weighCapacity(_ wish: FleetWish) {
        guard wish.rules.gpus > 0, wish.isRunning else {
            entry.capacity = nil
            return
        }
        let type = wish.rules.gpuType ?? "GPU"
        entry.capacity =
            unplaced == 0
            ? Verdict(true, "Reserved", "every replica has its \(wish.rules.gpus) \(type)")
            : Verdict(
                false, "NoGPU",
                "\(Words.replicas(unplaced)) wait for \(wish.rules.gpus) free \(type) each")
    }

    private mutating func endManualScale() {
        guard let manual = entry.record.manualScale, let until = manual.until else { return }
        if until <= now {
            entry.record.manualScale = nil
            entry.lastProgress = now
            draft.note(
                entry.key, .normal, reason: "ManualScaleExpired",
                "the number of replicas set by \(manual.by) has ended")
        }
    }

    private mutating func remindOfManualScale() {
        guard let until = entry.record.manualScale?.until else { return }
        entry.wake = min(entry.wake ?? until, until)
    }

    // MARK: Operation

    private mutating func advanceOperation(_ wish: FleetWish) throws {
        let goal = OperationGoal(
            wish: wish, rows: entry.rows, sightings: entry.sightings, unplaced: unplaced,
            lastProgress: entry.lastProgress, deadline: progressDeadline, now: now)
        let outcome = goal.outcome
        if case .met = outcome, wish.isRunning, wish.count > 0 {
            entry.memory.sawGood(wish.revision)
        }
        guard var operation = entry.operation else { return }
        switch outcome {
        case .open(let progress):
            remindOfDeadline(goal)
            if operation.progress == progress { return }
            operation.progress = progress
        case .met(let progress):
            (operation.progress, operation.state) = (progress, .succeeded)
            draft.note(
                entry.key, .normal, reason: "OperationSucceeded",
                "\(operation.view.action): \(progress.message)")
        case .failed(let failure, let hint):
            try fail(&operation, failure, hint)
        }
        try draft.save(&operation)
        entry.operation = operation
    }

    private mutating func remindOfDeadline(_ goal: OperationGoal) {
        let deadline = goal.lastProgress.addingTimeInterval(goal.deadline + 0.001)
        // What only has to end has no deadline, and one that has passed wakes nobody again.
        guard goal.wish.isRunning, deadline > now else { return }
        entry.wake = min(entry.wake ?? deadline, deadline)
    }

    /// What was there before goes on serving: the wish goes back to it.
    private mutating func fail(
        _ operation: inout OperationRecord, _ failure: OperationRecord.Failure, _ hint: String?
    ) throws {
        var response = OperationResponse(hint: hint)
        if let before = operation.asked?.before, entry.serves(before.revision),
            try entry.goBack(to: before, at: now)
        {
            response.hasRolledBack = true
            draft.audit.append(
                AuditDraft(
                    "deployment.rolled_back", entry.key,
                    detail: ["to": "\(before.revision)", "because": failure.message]))
        }
        operation.state = .failed
        operation.error = failure
        operation.response = try JSONText.encode(response)
        draft.note(
            entry.key, .warning, reason: "OperationFailed",
            "\(operation.view.action): \(failure.message)"
                + (response.hasRolledBack ? "; the old revision serves as before" : ""))
    }

    private var progressDeadline: TimeInterval {
        if let deadline = entry.record.spec.strategy.progressDeadline { return deadline.inSeconds }
        let learned = (entry.memory.loadSeconds ?? 0) * Limits.progressFactor
        return max(Limits.progressSecondsMin, learned)
    }

    // MARK: Status

    private mutating func tellStatus(_ readOnlyBecause: String?) {
        let facts = entry.facts(at: now, readOnlyBecause: readOnlyBecause)
        entry.memory.unreachableSince = facts.unreachableSince
        if let since = facts.unreachableSince {
            let moment = since.addingTimeInterval(facts.failAfter + 0.001)
            if moment > now { entry.wake = min(entry.wake ?? moment, moment) }
        }
        entry.status = facts.status(after: before.status)
        entry.memory.status = entry.status
    }

    // MARK: What is stored

    private mutating func deleteAll() {
        for id in before.rowVersions.keys.sorted() {
            draft.edits.append(.purge(DeploymentKeys.replica(entry.name, id), .any))
        }
        for number in entry.revisions.keys.sorted() {
            draft.delete(DeploymentKeys.revision(entry.name, number), .any)
        }
        draft.delete(entry.key, .version(entry.version))
        draft.note(entry.key, .normal, reason: "Deleted", "nothing is left but its history")
    }

    private mutating func putRows() throws {
        let known = Dictionary(uniqueKeysWithValues: before.rows.map { ($0.id, $0) })
        for row in entry.rows where known[row.id] != row {
            let condition: Condition = entry.rowVersions[row.id].map { .version($0) } ?? .absent
            let identity = ReplicaIdentity(
                deployment: row.deployment, revision: row.revision, epoch: row.epoch)
            try draft.put(
                DeploymentKeys.replica(row), condition,
                spec: condition == .absent ? identity : nil, status: row)
        }
    }

    /// A status is stored when it says something else, not when a number in a sentence moved.
    private mutating func putDeployment() throws {
        let isNew = entry.record != before.record
        let isWorth =
            !draft.edits.isEmpty || isNew || before.memory.status.map(entry.status.differs) ?? true
            || (entry.memory.unreachableSince == nil) != (before.memory.unreachableSince == nil)
            || entry.memory.goodRevisions != before.memory.goodRevisions
        guard isWorth, isNew || entry.memory != before.memory else { return }
        try draft.put(
            entry.key, .version(entry.version), spec: isNew ? entry.record : nil,
            status: entry.memory)
    }
}

extension DeploymentStatus {
    /// Whether a reader would call it another one.
    func differs(from other: DeploymentStatus) -> Bool {
        guard word == other.word, reason == other.reason,
            conditions.count == other.conditions.count
        else { return true }
        return zip(conditions, other.conditions).contains { one, two in
            one.kind != two.kind || one.truth != two.truth || one.reason != two.reason
        }
    }
}

extension ReplicaPhase {
    /// What an event is called; nil for what nobody asks about later.
    var eventReason: String? {
        switch self {
        case .reserved, .loading, .warming: nil
        case .spawning: "ReplicaStarting"
        case .ready: "ReplicaReady"
        case .failed: "ReplicaFailed"
        case .draining: "ReplicaDraining"
        case .stopping: "ReplicaStopping"
        case .exited: "ReplicaExited"
        }
    }

    var eventWords: String {
        switch self {
        case .reserved: "has its place"
        case .spawning: "is started"
        case .loading: "loads"
        case .warming: "is proved"
        case .ready: "is ready"
        case .failed: "failed"
        case .draining: "takes no new requests"
        case .stopping: "is told to end"
        case .exited: "has ended"
        }
    }
}
