// Does what a transaction says, inside one of SQLite's: checks, documents, change log, events,
// audit, outbox, answer. Throws at the first condition that does not hold; the caller rolls back.

import Crypto
import Foundation
import GRDB

struct TransactionWriter {
    private let transaction: Transaction
    private let retention: Retention
    private let connection: Database
    private let at: Date

    private var sequence: UInt64 = 0
    private var bytes: Int64 = 0
    private var documents: [Document] = []
    /// The last sequence of each kind that changed.
    private(set) var changed: [DocumentKind: UInt64] = [:]
    /// What audit entries tell of their targets: content before and after, as hashes.
    private var hashes: [DocumentKey: (before: String?, after: String)] = [:]

    init(_ transaction: Transaction, _ retention: Retention, _ connection: Database) {
        self.transaction = transaction
        self.retention = retention
        self.connection = connection
        at = Moment.rounded(transaction.at)
    }

    mutating func perform(using generator: inout some RandomNumberGenerator) throws -> Commit {
        for entry in transaction.audit { hashes[entry.target] = (nil, "") }
        let first = UInt64(bitPattern: try Counters.value(.sequence, in: connection))
        sequence = first
        for check in transaction.checks { try verify(check) }
        for edit in transaction.edits { try perform(edit, using: &generator) }
        if sequence > first { try countChanges(from: first) }
        for event in transaction.events {
            try EventTable.record(
                event, at: at, actor: transaction.actor, keeping: retention.eventsPerTarget,
                in: connection)
        }
        for entry in transaction.audit {
            let hash = hashes[entry.target]
            try AuditTable.append(
                entry, at: at, actor: transaction.actor, before: hash?.before ?? "",
                after: hash?.after ?? "", in: connection)
        }
        try OutboxTable.append(
            transaction.outbox, at: at, keeping: retention.outboxMessages, in: connection)
        if let answer = transaction.answer {
            try IdempotencyTable.finish(answer, now: at, in: connection)
        }
        return Commit(sequence: sequence, documents: documents)
    }

    private func countChanges(from first: UInt64) throws {
        try Counters.set(.sequence, to: Int64(bitPattern: sequence), in: connection)
        let held = try Counters.value(.changeBytes, in: connection)
        try Counters.set(.changeBytes, to: held + bytes, in: connection)
        let cuts = retention.changesBetweenCuts
        if sequence / cuts > first / cuts {
            try ChangeLog.cut(retention, now: at, in: connection)
        }
    }

    // MARK: Conditions

    private func verify(_ check: Transaction.Check) throws {
        switch check {
        case .document(let key, let condition):
            try verify(condition, of: key, try DocumentTable.live(key, in: connection))
        case .unchanged(let kind, let sequence):
            guard let found = try DocumentTable.changed(kind, since: sequence, in: connection)
            else { return }
            throw StateError.stale(found.key, expected: sequence, found: found.version)
        case .lease(let name, let token):
            try LeaseTable.verify(name, token: token, at: at, in: connection)
        }
    }

    private func verify(
        _ condition: Condition, of key: DocumentKey, _ found: Document?
    ) throws {
        switch (condition, found) {
        case (.any, _), (.absent, nil), (.present, .some): return
        case (.absent, let found?):
            if let active = OperationRecord.blocking(found) { throw active }
            throw StateError.exists(key, version: found.version)
        case (.version(let expected), let found?):
            if expected == found.version { return }
            throw StateError.stale(key, expected: expected, found: found.version)
        case (.version, nil), (.present, nil): throw StateError.missing(key)
        }
    }

    // MARK: Documents

    private mutating func perform(
        _ edit: Transaction.Edit, using generator: inout some RandomNumberGenerator
    ) throws {
        switch edit {
        case .put(let draft):
            let found = try DocumentTable.live(draft.key, in: connection)
            try verify(draft.condition, of: draft.key, found)
            if let found {
                documents.append(try update(found, with: draft))
            } else {
                documents.append(try create(draft, using: &generator))
            }
        case .delete(let key, let condition):
            guard let found = try existing(key, condition) else { return }
            var gone = found
            gone.deletedAt = at
            try DocumentTable.update(try log(.deleted, &gone, from: found), in: connection)
        case .purge(let key, let condition):
            let found = try existing(key, condition)
            try DocumentTable.purge(key, in: connection)
            guard let found else { return }
            var gone = found
            gone.deletedAt = at
            _ = try log(.deleted, &gone, from: found)
        }
    }

    private func existing(_ key: DocumentKey, _ condition: Condition) throws -> Document? {
        let found = try DocumentTable.live(key, in: connection)
        try verify(condition, of: key, found)
        return found
    }

    private mutating func create(
        _ draft: DocumentDraft, using generator: inout some RandomNumberGenerator
    ) throws -> Document {
        guard let spec = draft.spec else { throw StateError.missing(draft.key) }
        let count = try DocumentTable.liveCount(draft.key.kind, in: connection)
        guard count < retention.documentsPerKind else {
            throw StateError.noRoom(
                what: "documents of kind \(draft.key.kind)", limit: retention.documentsPerKind)
        }
        try verifyJSON(spec, draft.status, of: draft.key)
        var document = Document(
            key: draft.key, id: draft.id ?? DocumentID.make(at: at, using: &generator),
            generation: 1, version: 0, labels: draft.labels ?? [:], createdAt: at, updatedAt: at,
            createdBy: transaction.actor, spec: spec, status: draft.status)
        try DocumentTable.insert(try log(.added, &document, from: nil), in: connection)
        return document
    }

    private mutating func update(_ found: Document, with draft: DocumentDraft) throws -> Document {
        var document = found
        document.spec = draft.spec ?? found.spec
        document.status = draft.status ?? found.status
        document.labels = draft.labels ?? found.labels
        if document == found { return found }
        try verifyJSON(
            document.spec == found.spec ? nil : document.spec,
            document.status == found.status ? nil : document.status, of: draft.key)
        if document.spec != found.spec { document.generation += 1 }
        try DocumentTable.update(try log(.modified, &document, from: found), in: connection)
        return document
    }

    private func verifyJSON(_ spec: String?, _ status: String?, of key: DocumentKey) throws {
        let statement = try connection.cachedStatement(sql: "SELECT json_valid(?)")
        for (part, text) in [("spec", spec), ("status", status)] {
            guard let text else { continue }
            guard try Bool.fetchOne(statement, arguments: [text]) == true else {
                throw StateError.invalid(what: "\(key) \(part)", reason: "is not JSON")
            }
        }
    }

    /// Numbers the change and writes it down.
    private mutating func log(
        _ change: DocumentChange.Change, _ document: inout Document, from found: Document?
    ) throws -> Document {
        sequence += 1
        document.version = sequence
        document.updatedAt = at
        bytes += try ChangeLog.append(
            DocumentChange(sequence: sequence, change: change, document: document), at: at,
            in: connection)
        changed[document.kind] = sequence
        if let hash = hashes[document.key] {
            let before = hash.before ?? found.map(Self.hash) ?? ""
            hashes[document.key] = (before, change == .deleted ? "" : Self.hash(document))
        }
        return document
    }

    private static func hash(_ document: Document) -> String {
        let parts = [document.spec, document.status ?? "", LabelText.encode(document.labels)]
        return Hexadecimal.text(SHA256.hash(data: Data(parts.joined(separator: "\0").utf8)))
    }
}
