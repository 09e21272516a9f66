// What is stored becomes what is in memory, once, before anything else happens; and the replicas
// that earlier Penstocks left are matched with their rows.

import Foundation
import Logging
import Replicas
import State
import Traffic

extension Controller {
    /// Reads every deployment. The routing of what is stored goes to the director, which puts it
    /// into its first plan: replicas that live get requests before anything else is done.
    package func load() async throws {
        let store = surroundings.store
        let now = surroundings.now()
        for document in try await store.all(DocumentQuery(.deployment)) {
            entries[document.name] = DeploymentEntry(
                document, record: try document.spec(as: DeploymentRecord.self),
                memory: try document.status(as: DeploymentMemory.self) ?? DeploymentMemory(),
                now: now)
        }
        for document in try await store.all(DocumentQuery(.revision)) {
            let revision = try document.spec(as: Revision.self)
            entries[owner(of: document)]?.revisions[revision.number] = revision
        }
        for document in try await store.all(DocumentQuery(.replica, order: .created)) {
            guard let row = try document.status(as: ReplicaRow.self) else { continue }
            entries[row.deployment]?.rows.append(row)
            entries[row.deployment]?.rowVersions[row.id] = document.version
            entries[row.deployment]?.sightings[row.id] = ReplicaSighting()
        }
        try await loadOperations()
        for name in entries.keys { route(name) }
        try await director.setManaged(services(), proving: provingServices())
    }

    private func owner(of document: Document) -> String {
        String(document.name.prefix { $0 != "/" })
    }

    private func loadOperations() async throws {
        for state in [OperationRecord.State.pending, .running] {
            let query = DocumentQuery(
                .operation, labels: ["state": state.rawValue], order: .created)
            for document in try await surroundings.store.all(query) {
                let operation = try OperationRecord(document)
                guard operation.target.kind == .deployment else { continue }
                if operation.isActive {
                    entries[operation.target.name]?.operation = operation
                } else {
                    entries[operation.target.name]?.queue.append(operation)
                }
            }
        }
    }

    /// Takes over what lives and is known, ends what lives and is not, and learns how the rest
    /// ended.
    func adopt() async {
        let rows = Dictionary(
            uniqueKeysWithValues: entries.values.flatMap(\.living).map { ($0.id, $0) })
        var found: Set<String> = []
        for leftover in await surroundings.runtime.leftovers() {
            let record = leftover.record
            // One live run a name: a name that is known is the row's present process.
            guard let row = rows[record.replica], row.phase.mayHaveProcess else {
                logger.notice(
                    "a replica that nobody knows is ended",
                    metadata: ["replica": "\(record.replica)"])
                await surroundings.runtime.discard(leftover)
                continue
            }
            found.insert(row.id)
            await adopt(leftover, row)
        }
        for row in rows.values where !found.contains(row.id) {
            see(row.id, of: row.deployment) { $0.process = .absent }
        }
    }

    private func adopt(_ leftover: Leftover, _ row: ReplicaRow) async {
        if case .ended(let end) = leftover.state {
            see(row.id, of: row.deployment) {
                $0.process = .ended(attempt: row.attempt, reason: end.cause)
            }
            // What it left is told; its files are of no use any more.
            return await surroundings.runtime.discard(leftover)
        }
        do {
            let run = try await surroundings.runtime.adopt(leftover)
            logger.notice("took over a running replica", metadata: ["replica": "\(row.id)"])
            follow(run, row.id, row.deployment, attempt: row.attempt)
        } catch {
            logger.warning(
                "a replica cannot be taken over; it is ended",
                metadata: ["replica": "\(row.id)", "cause": "\(error)"])
            await surroundings.runtime.discard(leftover)
            see(row.id, of: row.deployment) { $0.process = .absent }
        }
    }

    /// Told to end in good order: the next start begins with new replicas, without a back-off.
    func storeEnd() async {
        let now = surroundings.now()
        var transaction = Transaction(at: now, actor: "system:controller")
        for entry in entries.values.sorted(by: { $0.name < $1.name }) {
            for row in entry.living {
                var row = row
                row.enter(.exited, at: now)
                let version = entry.rowVersions[row.id]
                do {
                    try transaction.put(
                        DeploymentKeys.replica(row), version.map { .version($0) } ?? .any,
                        status: row)
                } catch {
                    logger.error("a row cannot be written", metadata: ["cause": "\(error)"])
                }
            }
        }
        guard !transaction.edits.isEmpty else { return }
        do {
            try await surroundings.store.commit(transaction)
        } catch {
            // The next start finds their processes gone and starts them anew.
            logger.error(
                "the end of the replicas is not stored", metadata: ["cause": "\(error)"])
        }
    }
}
