// A decided change as one transaction: record, revision, operation, event, audit and the answer to
// repeat. A value: built, shown as a preview, or committed; the entry it leads to comes out of it.

import Foundation
import Notation
import State

struct ChangeTransaction {
    let change: DeploymentChange
    let decision: ChangeDecision
    let asked: ChangeRequest
    var transaction: Transaction
    /// The one that has to give way.
    private(set) var superseded: OperationRecord?
    /// Made for this change, or begun by it; nil when nothing has to start or stop.
    private var operation: OperationRecord?
    /// What is at work does this as well.
    private var joined: OperationRecord?
    /// What has waited for its turn, which is now.
    private var turn: String?
    private var revision: Revision?
    private let entry: DeploymentEntry?
    private let name: String
    private let now: Date
    /// Of the deployment, if it is created, and of the operation.
    private let ids: (deployment: String, operation: String)
    private var record: DeploymentRecord
    /// What failing or cancelling goes back to.
    private let before: EarlierWish?
    private var dropsQueue = false

    init(
        _ change: DeploymentChange, decision: ChangeDecision, resolved: ResolvedChange,
        asked: ChangeRequest, name: String, entry: DeploymentEntry?,
        ids: (deployment: String, operation: String), now: Date
    ) {
        self.change = change
        self.decision = decision
        self.asked = asked
        self.name = name
        self.entry = entry
        self.ids = ids
        self.now = now
        record = decision.record
        before = entry?.earlierWish
        transaction = Transaction(at: now, actor: asked.actor)
        transaction.checks = resolved.checks
        makeRevision(resolved.facts)
    }

    private mutating func makeRevision(_ facts: ResolvedFacts) {
        guard let wanted = decision.revision else { return }
        let content = RevisionContent(of: decision.record.spec, facts: facts)
        if !wanted.isForced, content.digest == entry?.wantedRevision?.content.digest { return }
        let number = (entry?.memory.newestRevision ?? 0) + 1
        revision = Revision(
            number: number, parent: entry?.record.revision, kind: wanted.kind, content: content,
            strategy: record.spec.strategy, createdAt: now, createdBy: asked.actor,
            reason: asked.reason, rollbackOf: wanted.rollbackOf)
        record.revision = number
    }

    /// Whether replicas have to change, so that there is something to wait for.
    var needsOperation: Bool {
        guard let entry else { return true }
        let old = entry.record
        if joined != nil { return false }
        if record.desire != old.desire { return true }
        guard record.desire == .running else { return false }
        return revision != nil || record.epoch != old.epoch
            || record.target(at: now) != old.target(at: now)
    }

    /// What is at work goes on, and does this as well.
    mutating func join(_ running: OperationRecord) { joined = running }

    /// What whoever asked has to wait for; nil when it is done at once.
    var awaited: OperationRecord? { joined ?? operation }

    /// The running one ends here; what waited behind it waits no longer.
    mutating func supersede(_ running: OperationRecord, _ queue: [OperationRecord]) throws {
        superseded = running
        try drop(queue)
        var ended = running
        ended.state = .cancelled
        ended.progress.message = "superseded by '\(change.action)' of \(asked.actor)"
        // Stopping breaks off what was to come: what is started later is what last worked.
        if case .stop = change, var stable = entry, let before, stable.serves(before.revision),
            try stable.goBack(to: before, at: now)
        {
            (record.spec, record.revision) = (stable.record.spec, stable.record.revision)
            (record.lastApplied, record.appliedFrom) = (
                stable.record.lastApplied, stable.record.appliedFrom
            )
            ended.progress.message += "; revision \(before.revision) is wanted again"
            ended.response = try JSONText.encode(OperationResponse(hasRolledBack: true))
        }
        try transaction.save(&ended)
    }

    /// Nothing can follow on this change, or only anew.
    mutating func drop(_ queue: [OperationRecord]) throws {
        dropsQueue = true
        for waiting in queue {
            var ended = waiting
            ended.state = .cancelled
            ended.progress.message = "superseded by '\(change.action)' of \(asked.actor)"
            try transaction.save(&ended)
        }
    }

    mutating func finish(queued: OperationRecord?, plan: ChangePlan) throws {
        try putRecord()
        if let revision {
            try transaction.create(DeploymentKeys.revision(name, revision.number), spec: revision)
            forgetOldRevisions()
        }
        try putOperation(queued)
        transaction.note(
            DeploymentKeys.deployment(name), .normal, reason: change.eventReason,
            "\(change.action) by \(asked.actor)\(asked.reason.map { ": \($0)" } ?? "")")
        transaction.audit.append(
            AuditDraft(
                "deployment.\(change.action)", DeploymentKeys.deployment(name), detail: detail,
                requestID: asked.requestID))
        if let key = asked.repetition, let answer = asked.answer {
            let receipt = preview(plan: plan, isExecutable: false)
            transaction.answer = IdempotentAnswer(key, answer(receipt))
        }
    }

    private mutating func putRecord() throws {
        let condition: Condition = entry.map { .version($0.version) } ?? .absent
        try transaction.put(
            DeploymentKeys.deployment(name), condition, spec: record, status: memory,
            labels: [
                "model": record.spec.model, "environment": record.spec.environment.rawValue,
            ])
        if entry == nil, case .put(var draft)? = transaction.edits.popLast() {
            draft.id = ids.deployment
            transaction.edits.append(.put(draft))
        }
    }

    private var memory: DeploymentMemory {
        var memory = entry?.memory ?? DeploymentMemory()
        if let revision { memory.newestRevision = revision.number }
        return memory
    }

    private mutating func putOperation(_ queued: OperationRecord?) throws {
        if var queued {
            turn = queued.id
            guard needsOperation else {
                queued.state = .succeeded
                queued.progress.message = "it is so already"
                return try transaction.save(&queued)
            }
            queued.progress.message = Self.begun
            queued.request = try JSONText.encode(request(from: queued.asked))
            try transaction.claim(&queued)
            operation = queued
            return
        }
        guard needsOperation else { return }
        var fresh = OperationRecord(
            id: ids.operation, kind: OperationRecord.kindPrefix + change.action,
            target: DeploymentKeys.deployment(name), at: now, by: asked.actor,
            request: try JSONText.encode(request(from: nil)))
        fresh.state = .running
        fresh.progress.message = Self.begun
        try transaction.start(&fresh)
        operation = fresh
    }

    /// Until the first look at the replicas.
    private static let begun = "it has just begun"

    private func request(from waiting: OperationRequest?) -> OperationRequest {
        var request =
            waiting ?? OperationRequest(action: change.action, actor: asked.actor)
        (request.reason, request.requestID) = (asked.reason, asked.requestID)
        request.before = entry.map { before?.over($0.record, by: record) } ?? before
        if let before, before.revision != record.revision {
            (request.fromRevision, request.toRevision) = (before.revision, record.revision)
        } else if revision != nil {
            request.toRevision = record.revision
        }
        return request
    }

    private mutating func forgetOldRevisions() {
        guard let entry, entry.revisions.count >= Limits.revisionsKept else { return }
        let used = Set(entry.rows.map(\.revision)).union(entry.memory.goodRevisions.suffix(3))
            .union([before?.revision].compactMap { $0 })
        for number in entry.revisions.keys.sorted().dropLast(Limits.revisionsKept - 1)
        where !used.contains(number) && number != record.revision {
            transaction.delete(DeploymentKeys.revision(name, number), .any)
        }
    }

    /// Never the values of variables: the audit trail is read by many.
    private var detail: [String: String] {
        var detail: [String: String] = [:]
        if let reason = asked.reason { detail["reason"] = reason }
        if let revision { detail["revision"] = "\(revision.number)" }
        if let entry {
            let summary = EditSummary(from: entry.record.spec, to: record.spec)
            let fields = summary.live + summary.restart + summary.model
            if !fields.isEmpty { detail["fields"] = fields.joined(separator: ",") }
            let (old, new) = (entry.record.target(at: now), record.target(at: now))
            if old != new { (detail["from"], detail["to"]) = ("\(old)", "\(new)") }
        }
        if let superseded { detail["superseded"] = superseded.id }
        return detail
    }

    // MARK: What it leads to

    /// The entry with all that the commit has stored.
    func entry(after commit: Commit) throws -> DeploymentEntry {
        let key = DeploymentKeys.deployment(name)
        guard let document = commit.documents.first(where: { $0.key == key }) else {
            throw StateError.missing(key)
        }
        var next = nextEntry(document)
        next.takeUp(document)
        if var operation {
            operation.version = commit.documents.last { $0.key == operation.key }?.version ?? 0
            next.operation = operation
        }
        return next
    }

    private func nextEntry(_ document: Document) -> DeploymentEntry {
        var next =
            entry ?? DeploymentEntry(document, record: record, memory: memory, now: now)
        next.record = record
        next.memory = memory
        next.enforcement = nil
        next.lastProgress = now
        if let revision { next.revisions[revision.number] = revision }
        if superseded != nil { next.operation = nil }
        next.queue.removeAll { dropsQueue || $0.id == turn }
        return next
    }

    /// As it would be, before it is stored: for dry runs, and for the answer kept for repetitions.
    func preview(plan: ChangePlan, isExecutable: Bool) -> ChangeReceipt {
        let document = Document(
            key: DeploymentKeys.deployment(name), id: entry?.id ?? ids.deployment,
            generation: UInt64((entry?.generation ?? 0) + 1), version: entry?.version ?? 0,
            createdAt: entry?.createdAt ?? now, updatedAt: now,
            createdBy: entry?.createdBy ?? asked.actor, spec: "")
        var next = nextEntry(document)
        next.takeUp(document)
        return ChangeReceipt(
            view: next.view(at: now), operation: isExecutable ? nil : awaited?.view, plan: plan)
    }
}

extension DeploymentChange {
    /// What events call it once it is accepted.
    fileprivate var eventReason: String {
        switch self {
        case .create: "Created"
        case .patch, .apply: "Updated"
        case .scale: "Scaled"
        case .stop: "StopRequested"
        case .start: "StartRequested"
        case .restart: "RestartRequested"
        case .updateModel: "ModelUpdated"
        case .redeploy: "Redeployed"
        case .rollback: "RolledBack"
        case .delete: "DeleteRequested"
        }
    }
}
