// Operations for those who wait: read, awaited, cancelled, queued and begun when their turn comes.
// Each is a document, so none is lost by a crash; who waits for it is told when it ends.

import Foundation
import Logging
import State

extension Controller {
    package func operations(of name: String?) async throws -> [DeploymentOperation] {
        var labels: [String: String] = [:]
        if let name { labels["target"] = DeploymentKeys.deployment(name).description }
        let query = DocumentQuery(
            .operation, labels: labels, order: .created, isDescending: true)
        return try await surroundings.store.all(query)
            .map { try OperationRecord($0) }.filter { $0.target.kind == .deployment }
            .map(\.view)
    }

    package func operation(_ id: String) async throws -> DeploymentOperation {
        guard let found = try await surroundings.store.operation(id) else {
            throw ControlError.unknownOperation(id)
        }
        return found.view
    }

    package func operation(
        _ id: String, within patience: Duration
    ) async throws -> DeploymentOperation {
        let waiter = UUID()
        let timer = Task {
            // Cancelled: it has ended.
            try? await Task.sleep(for: patience)
            resume(id, waiter)
        }
        defer { timer.cancel() }
        if isAtWork(id) {
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiters[id, default: [:]][waiter] = $0 }
            } onCancel: {
                timer.cancel()
            }
        }
        return try await operation(id)
    }

    private func isAtWork(_ id: String) -> Bool {
        entries.values.contains { entry in
            entry.operation?.id == id || entry.queue.contains { $0.id == id }
        }
    }

    private func resume(_ id: String, _ waiter: UUID) {
        waiters[id]?.removeValue(forKey: waiter)?.resume()
        if waiters[id]?.isEmpty ?? false { waiters[id] = nil }
    }

    /// The operation has ended: everybody who waits is told.
    func finish(_ id: String) {
        for waiter in waiters.removeValue(forKey: id) ?? [:] { waiter.value.resume() }
    }

    package func cancel(_ id: String, asked: ChangeRequest) async throws -> DeploymentOperation {
        guard let found = try await surroundings.store.operation(id) else {
            throw ControlError.unknownOperation(id)
        }
        if found.state.isFinished { return found.view }
        await lane.enter()
        do {
            let view = try await cancelInLane(found, asked)
            await lane.leave()
            touch(found.target.name)
            return view
        } catch {
            await lane.leave()
            throw error
        }
    }

    /// One that waits just ends. One at work is undone where it has replaced something: the wish
    /// goes back to the revision before it.
    private func cancelInLane(
        _ found: OperationRecord, _ asked: ChangeRequest
    ) async throws -> DeploymentOperation {
        let name = found.target.name
        guard var entry = entries[name] else {
            throw ControlError.notFound(deployment: name, deletedAt: nil)
        }
        var transaction = Transaction(at: surroundings.now(), actor: asked.actor)
        let isQueued = entry.queue.contains { $0.id == found.id }
        var operation = isQueued ? found : entry.operation ?? found
        guard isQueued || entry.operation?.id == found.id else { return found.view }
        operation.state = .cancelled
        operation.progress.message = "cancelled by \(asked.actor)"
        if !isQueued { try undo(&operation, &entry, &transaction) }
        // What is left is to store it.
        if asked.isDryRun { return operation.view }
        try transaction.save(&operation)
        transaction.audit.append(
            AuditDraft(
                "operation.cancel", operation.key, detail: ["deployment": name],
                requestID: asked.requestID))
        if let key = asked.repetition, let answer = asked.answer {
            let plan = ChangePlan(action: "cancel")
            transaction.answer = IdempotentAnswer(key, answer(receipt(entry, operation, plan)))
        }
        let commit = try await storeForCaller(transaction)
        if let document = commit.documents.first(where: { $0.key == entry.key }) {
            entry.takeUp(document)
        }
        entry.queue.removeAll { $0.id == found.id }
        if !isQueued { entry.operation = nil }
        entries[name] = entry
        finish(found.id)
        route(name)
        return operation.view
    }

    private func undo(
        _ operation: inout OperationRecord, _ entry: inout DeploymentEntry,
        _ transaction: inout Transaction
    ) throws {
        guard let asked = operation.asked, asked.toRevision == entry.record.revision,
            let old = asked.fromRevision, let revision = entry.revisions[old]
        else { return }
        entry.record.spec = try revision.content.applied(to: entry.record.spec)
        entry.record.revision = old
        operation.response = try JSONText.encode(OperationResponse(hasRolledBack: true))
        try transaction.put(entry.key, .version(entry.version), spec: entry.record)
    }

    // MARK: The queue

    /// Stored, and begun once the one at work has ended.
    func enqueue(
        _ change: DeploymentChange, _ asked: ChangeRequest, _ entry: DeploymentEntry?,
        _ plan: ChangePlan
    ) async throws -> ChangeReceipt {
        guard var entry else { throw ControlError.notFound(deployment: "", deletedAt: nil) }
        guard entry.queue.count < Limits.queuedOperations, let running = entry.operation else {
            throw ControlError.busy(
                operation: (entry.queue.last ?? entry.operation)?.view ?? .none(entry.name))
        }
        let now = surroundings.now()
        var request = OperationRequest(
            action: change.action, change: StoredChange(change), actor: asked.actor)
        (request.isAdmin, request.reason) = (asked.isAdmin, asked.reason)
        (request.mayUpdate, request.source) = (asked.mayUpdate, asked.source)
        request.requestID = asked.requestID
        var waiting = OperationRecord(
            id: newID(), kind: OperationRecord.kindPrefix + change.action,
            target: entry.key, at: now, by: asked.actor, request: try JSONText.encode(request))
        waiting.progress.message = "waits for '\(running.view.action)' to end"
        var transaction = Transaction(at: now, actor: asked.actor)
        try transaction.start(&waiting, claims: false)
        transaction.audit.append(
            AuditDraft(
                "deployment.\(change.action).queued", entry.key,
                detail: ["operation": waiting.id], requestID: asked.requestID))
        let shown = receipt(entry, waiting, plan)
        if let key = asked.repetition, let answer = asked.answer {
            transaction.answer = IdempotentAnswer(key, answer(shown))
        }
        let commit = try await storeForCaller(transaction)
        waiting.version = commit.documents.last { $0.key == waiting.key }?.version ?? 0
        entry = entries[entry.name] ?? entry
        entry.queue.append(waiting)
        entries[entry.name] = entry
        return shown
    }

    /// Begins what has waited, if nothing is at work.
    func beginQueued(_ name: String) {
        guard let entry = entries[name], entry.operation == nil, readOnlyBecause == nil,
            let next = entry.queue.first, !isStopping, beginning.insert(next.id).inserted
        else { return }
        Task {
            await begin(next, name)
            await lane.enter()
            entries[name]?.queue.removeAll { $0.id == next.id }
            await lane.leave()
            beginning.remove(next.id)
            touch(name)
        }
    }

    private func begin(_ waiting: OperationRecord, _ name: String) async {
        do {
            guard let request = waiting.asked, let change = request.change?.change else {
                throw StateError.unreadable(what: waiting.id, reason: "no change to be made")
            }
            var asked = ChangeRequest(actor: request.actor, isAdmin: request.isAdmin)
            (asked.reason, asked.requestID) = (request.reason, request.requestID)
            asked.onConflict = .refuse
            asked.mayUpdate = request.mayUpdate ?? true
            asked.source = request.source
            _ = try await perform(change, of: name, asked: asked, queued: waiting)
        } catch {
            await fail(waiting, error)
        }
    }

    private func fail(_ waiting: OperationRecord, _ error: any Error) async {
        var failed = waiting
        failed.state = .failed
        failed.error = .init(code: "NOT_POSSIBLE_ANY_MORE", message: "\(error)")
        var transaction = Transaction(at: surroundings.now(), actor: "system:controller")
        do {
            try transaction.save(&failed)
            _ = try await store(transaction)
        } catch {
            logger.error("a queued change is lost", metadata: ["cause": "\(error)"])
        }
        finish(waiting.id)
    }
}

extension DeploymentOperation {
    fileprivate static func none(_ name: String) -> DeploymentOperation {
        DeploymentOperation(
            id: "", action: "", deployment: name, phase: .running, createdAt: .distantPast,
            createdBy: "", updatedAt: .distantPast)
    }
}
