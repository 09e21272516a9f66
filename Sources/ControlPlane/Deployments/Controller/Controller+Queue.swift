// Changes that wait for another to end: stored, so that none is lost by a crash, and begun one
// after the other. What cannot be begun when its turn has come says why; what cannot be stored
// waits on.

import Foundation
import Logging
import State

extension Controller {
    /// Stored, and begun once the one at work has ended.
    func enqueue(
        _ change: DeploymentChange, _ asked: ChangeRequest, _ entry: DeploymentEntry?,
        _ plan: ChangePlan
    ) async throws -> ChangeReceipt {
        guard var entry else { throw ControlError.notFound(deployment: "", deletedAt: nil) }
        guard let running = entry.operation ?? entry.queue.first else {
            preconditionFailure("a change waits for another")
        }
        guard entry.queue.count < Limits.queuedOperations else {
            throw ControlError.queueFull(behind: running.view, limit: Limits.queuedOperations)
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
            beginning.remove(next.id)
            wake(name)
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
        } catch ControlError.readOnly, ControlError.busy {
            // Its turn has not come after all.
        } catch {
            await fail(waiting, name, error)
        }
    }

    private func fail(_ waiting: OperationRecord, _ name: String, _ error: any Error) async {
        await lane.enter()
        // Else it was cancelled, or gave way, just before its turn.
        if entries[name]?.queue.contains(where: { $0.id == waiting.id }) ?? false {
            var failed = waiting
            failed.state = .failed
            failed.error = .init(code: "NOT_POSSIBLE_ANY_MORE", message: "\(error)")
            var transaction = Transaction(at: surroundings.now(), actor: "system:controller")
            do {
                try transaction.save(&failed)
                _ = try await storeForCaller(transaction)
                entries[name]?.queue.removeAll { $0.id == waiting.id }
            } catch ControlError.readOnly {
                // Tried again when something can be stored.
            } catch {
                entries[name]?.queue.removeAll { $0.id == waiting.id }
                logger.error("a queued change is lost", metadata: ["cause": "\(error)"])
            }
        }
        await lane.leave()
    }
}
