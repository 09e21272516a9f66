// The store as a book would describe it: a dictionary and a list, whole transactions on copies. The
// second implementation of the protocol, and what the first is held against.

import Foundation
import State

actor InMemoryStore {
    private struct Content {
        var sequence: UInt64 = 0
        var live: [DocumentKey: Document] = [:]
        var changes: [DocumentChange] = []
    }

    private var content = Content()
    private var nextID = 0

    func document(_ key: DocumentKey) -> Document? { content.live[key] }

    func list(_ kind: DocumentKind) -> [Document] {
        content.live.values.filter { $0.kind == kind }
            .sorted { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
    }

    var changes: [DocumentChange] { content.changes }

    func commit(_ transaction: Transaction) throws -> Commit {
        var next = content
        var documents: [Document] = []
        for check in transaction.checks {
            if case .document(let key, let condition) = check {
                try verify(condition, next.live[key], key)
            }
        }
        for edit in transaction.edits {
            if let document = try perform(edit, transaction, &next) { documents.append(document) }
        }
        content = next
        return Commit(sequence: next.sequence, documents: documents)
    }

    private func perform(
        _ edit: Transaction.Edit, _ transaction: Transaction, _ next: inout Content
    ) throws -> Document? {
        switch edit {
        case .put(let draft):
            let found = next.live[draft.key]
            try verify(draft.condition, found, draft.key)
            guard var document = found ?? fresh(draft, transaction) else {
                throw StateError.missing(draft.key)
            }
            document.spec = draft.spec ?? document.spec
            document.status = draft.status ?? document.status
            document.labels = draft.labels ?? document.labels
            if document == found { return document }
            if let found, found.spec != document.spec { document.generation += 1 }
            log(found == nil ? .added : .modified, &document, transaction, &next)
            next.live[draft.key] = document
            return document
        case .delete(let key, let condition), .purge(let key, let condition):
            try verify(condition, next.live[key], key)
            guard var document = next.live.removeValue(forKey: key) else { return nil }
            document.deletedAt = transaction.at
            log(.deleted, &document, transaction, &next)
            return nil
        }
    }

    private func log(
        _ change: DocumentChange.Change, _ document: inout Document, _ transaction: Transaction,
        _ next: inout Content
    ) {
        next.sequence += 1
        document.version = next.sequence
        document.updatedAt = transaction.at
        next.changes.append(
            DocumentChange(sequence: next.sequence, change: change, document: document))
    }

    private func fresh(_ draft: DocumentDraft, _ transaction: Transaction) -> Document? {
        guard let spec = draft.spec else { return nil }
        nextID += 1
        return Document(
            key: draft.key, id: draft.id ?? "\(nextID)", generation: 1, version: 0,
            createdAt: transaction.at, updatedAt: transaction.at,
            createdBy: transaction.actor, spec: spec)
    }

    private func verify(_ condition: Condition, _ found: Document?, _ key: DocumentKey) throws {
        switch condition {
        case .any: return
        case .absent:
            if let found { throw StateError.exists(key, version: found.version) }
        case .present:
            if found == nil { throw StateError.missing(key) }
        case .version(let expected):
            guard let found else { throw StateError.missing(key) }
            guard found.version == expected else {
                throw StateError.stale(key, expected: expected, found: found.version)
            }
        }
    }
}

extension InMemoryStore: StateStore {
    /// Filters by kind and prefix; everything is on one page.
    func list(_ query: DocumentQuery) -> DocumentPage {
        let documents = list(query.kind).filter { $0.name.hasPrefix(query.prefix) }
        return DocumentPage(
            documents: documents, sequence: content.sequence, nextPageToken: nil)
    }

    /// Never waits: what is there is there.
    func watch(_ kinds: Set<DocumentKind>, since sequence: UInt64) -> DocumentWatch {
        DocumentWatch(since: sequence) { [self] position, _ in
            let changes = await changes.filter { change in
                change.sequence > position
                    && (kinds.isEmpty || kinds.contains(change.document.kind))
            }
            return (changes, changes.last?.sequence ?? position)
        }
    }

    func events(_ query: EventQuery) -> EventPage { EventPage(events: [], nextPageToken: nil) }

    func acquireLease(
        _ name: String, holder: String, lasting: Duration, now: Date
    ) throws -> Lease {
        throw StateError.invalid(what: "lease", reason: "the model has none")
    }

    func releaseLease(_ lease: Lease) {}
}
