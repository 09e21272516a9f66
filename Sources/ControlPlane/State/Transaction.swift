// One change of state, whole or not at all: documents, what happened (events), who did it (audit),
// what to tell others (outbox) and the answer to repeat (idempotency). It is a value, so that it
// can be built without a store, tested, and sent to a store on another machine.

package import Foundation

package struct Transaction: Sendable, Equatable {
    package var at: Date
    /// Who: a token's id, or a part of Penstock such as `system:autoscaler`.
    package var actor: String
    /// What must hold for the whole to be done, beyond the conditions of the edits.
    package var checks: [Check] = []
    /// Done in order; a later edit sees the earlier ones.
    package var edits: [Edit] = []
    package var events: [EventDraft] = []
    package var audit: [AuditDraft] = []
    package var outbox: [OutboxDraft] = []
    /// Finishes a record begun with `beginIdempotent`.
    package var answer: IdempotentAnswer?

    package init(at: Date, actor: String) {
        self.at = at
        self.actor = actor
    }
}

/// What must be true of a document for an edit to be done.
package enum Condition: Sendable, Equatable {
    /// There is none of this name: a create.
    case absent
    /// It is at exactly this version: nobody has changed it since it was read.
    case version(UInt64)
    /// There is one, at any version.
    case present
    /// Whatever there is, or is not.
    case any
}

extension Transaction {
    package enum Edit: Sendable, Equatable {
        case put(DocumentDraft)
        /// Keeps a tombstone with the last content until upkeep removes it.
        case delete(DocumentKey, Condition)
        /// Removes the document, or what is left of deleted ones of this name, without a trace
        /// but the change itself.
        case purge(DocumentKey, Condition)
    }

    package enum Check: Sendable, Equatable {
        case document(DocumentKey, Condition)
        /// No document of the kind has been made or changed since: whoever has read all of them
        /// then knows all of them now.
        case unchanged(DocumentKind, since: UInt64)
        /// The lease is still this holder's: its fencing token has not been overtaken.
        case lease(name: String, token: UInt64)
    }
}

/// What a document shall be. Parts left nil stay as they are.
package struct DocumentDraft: Sendable, Equatable {
    package var key: DocumentKey
    package var condition: Condition
    /// JSON; needed where the document may have to be created.
    package var spec: String?
    /// JSON.
    package var status: String?
    package var labels: [String: String]?
    /// Of a document that is created; nil has one made.
    package var id: String?

    package init(
        _ key: DocumentKey, _ condition: Condition, spec: String? = nil, status: String? = nil,
        labels: [String: String]? = nil, id: String? = nil
    ) {
        self.key = key
        self.condition = condition
        self.spec = spec
        self.status = status
        self.labels = labels
        self.id = id
    }
}

extension Transaction {
    package mutating func create(
        _ key: DocumentKey, spec: some Encodable, labels: [String: String] = [:]
    ) throws {
        edits.append(
            .put(
                DocumentDraft(key, .absent, spec: try JSONText.encode(spec), labels: labels)))
    }

    /// Replaces spec, or status, or both, and leaves the rest.
    package mutating func put(
        _ key: DocumentKey, _ condition: Condition, spec: (some Encodable)? = String?.none,
        status: (some Encodable)? = String?.none, labels: [String: String]? = nil
    ) throws {
        edits.append(
            .put(
                DocumentDraft(
                    key, condition, spec: try spec.map { try JSONText.encode($0) },
                    status: try status.map { try JSONText.encode($0) }, labels: labels)))
    }

    package mutating func delete(_ key: DocumentKey, _ condition: Condition = .present) {
        edits.append(.delete(key, condition))
    }

    package mutating func note(
        _ key: DocumentKey, _ type: EventType = .normal, reason: String, _ message: String
    ) {
        events.append(EventDraft(key, type, reason: reason, message: message))
    }
}

/// What a commit has made.
package struct Commit: Sendable, Equatable {
    /// Of its last change; the present one when it changed no document.
    package var sequence: UInt64
    /// One for each `put`, in order, as stored. A put that changes nothing gives what was there.
    package var documents: [Document]

    package init(sequence: UInt64, documents: [Document]) {
        self.sequence = sequence
        self.documents = documents
    }
}
