// Operations for those who wait: read, awaited, cancelled, queued and begun when their turn comes.
// Each is a document, so none is lost by a crash; who waits for it is told when it ends.

import Foundation
import Logging
import State

extension Controller {
    package nonisolated func operations(of name: String?) async throws -> [DeploymentOperation] {
        try await Self.views(surroundings.store.all(Self.query(of: name, newestFirst: true)))
    }

    package nonisolated func operations(
        _ question: OperationQuestion
    ) async throws -> OperationPage {
        var query = Self.query(of: question.deployment, newestFirst: question.newestFirst)
        (query.pageSize, query.pageToken) = (question.pageSize, question.pageToken)
        let page = try await surroundings.store.list(query)
        return OperationPage(
            operations: try Self.views(page.documents), nextPageToken: page.nextPageToken,
            total: try await surroundings.store.count(query))
    }

    private static func query(of name: String?, newestFirst: Bool) -> DocumentQuery {
        var labels: [String: String] = [:]
        if let name { labels["target"] = DeploymentKeys.deployment(name).description }
        return DocumentQuery(
            .operation, labels: labels, order: .created, isDescending: newestFirst)
    }

    /// Thousands take long to be read: not in the controller's own time.
    private static func views(_ documents: [Document]) throws -> [DeploymentOperation] {
        try documents.map { try OperationRecord($0) }.filter { $0.target.kind == .deployment }
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
        guard let name = entries.values.first(where: { $0.isAtWork(id) })?.name else {
            return try await operation(id)
        }
        let waiter = UUID()
        let timer = Task {
            // Cancelled: it has ended.
            try? await Task.sleep(for: patience)
            resume(id, waiter)
        }
        defer { timer.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation {
                waiters[id, default: OperationWaiters(deployment: name)].waiting[waiter] = $0
            }
        } onCancel: {
            timer.cancel()
        }
        return try await operation(id)
    }

    private func resume(_ id: String, _ waiter: UUID) {
        waiters[id]?.waiting.removeValue(forKey: waiter)?.resume()
        if waiters[id]?.waiting.isEmpty ?? false { waiters[id] = nil }
    }

    /// Whoever waits for what has ended is told, however it has. To be called after whatever may
    /// have ended an operation of the deployment.
    func wake(_ name: String) {
        for (id, found) in waiters where found.deployment == name {
            if entries[name]?.isAtWork(id) ?? false { continue }
            waiters[id] = nil
            for waiter in found.waiting.values { waiter.resume() }
        }
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
            wake(found.target.name)
            touch(found.target.name)
            return view
        } catch {
            await lane.leave()
            throw error
        }
    }

    /// One that waits just ends. One at work is undone: the wish goes back to what it was before.
    private func cancelInLane(
        _ found: OperationRecord, _ asked: ChangeRequest
    ) async throws -> DeploymentOperation {
        let name = found.target.name
        guard var entry = entries[name], entry.isAtWork(found.id) else {
            return try await operation(found.id)
        }
        let now = surroundings.now()
        var transaction = Transaction(at: now, actor: asked.actor)
        let isQueued = entry.queue.contains { $0.id == found.id }
        var operation = isQueued ? found : entry.operation ?? found
        operation.state = .cancelled
        operation.progress.message = "cancelled by \(asked.actor)"
        if !isQueued { try undo(&operation, &entry, &transaction, asked.actor, now) }
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
        commit.documents.forEach { take($0, into: &entry) }
        entry.queue.removeAll { $0.id == found.id }
        if !isQueued { entry.operation = nil }
        entry.keepSeen(of: entries[name])
        entries[name] = entry
        route(name)
        return operation.view
    }

    private func undo(
        _ operation: inout OperationRecord, _ entry: inout DeploymentEntry,
        _ transaction: inout Transaction, _ actor: String, _ now: Date
    ) throws {
        let before = entry
        let (hasRolledBack, words) = try entry.takeBack(operation, by: actor, at: now)
        if !words.isEmpty { operation.progress.message += "; \(words)" }
        if hasRolledBack {
            operation.response = try JSONText.encode(OperationResponse(hasRolledBack: true))
        }
        if entry.record != before.record {
            try transaction.put(entry.key, .version(entry.version), spec: entry.record)
        }
        for (old, row) in zip(before.rows, entry.rows) where row != old {
            try transaction.put(
                DeploymentKeys.replica(row), entry.rowVersions[row.id].map { .version($0) } ?? .any,
                status: row)
        }
    }
}

/// Those who wait for one operation to end.
struct OperationWaiters {
    var deployment: String
    var waiting: [UUID: CheckedContinuation<Void, Never>] = [:]
}

extension DeploymentEntry {
    /// Under way, or waiting for that.
    func isAtWork(_ id: String) -> Bool {
        operation?.id == id || queue.contains { $0.id == id }
    }
}
