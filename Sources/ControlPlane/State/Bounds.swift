// What may be stored at all: names that can be listed by prefix and printed on one line, sizes that
// add up. Checked before anything is written; the error names the part and what is allowed.

import Foundation

enum Bounds {
    static func check(_ transaction: Transaction) throws {
        try check(actor: transaction.actor)
        let parts =
            transaction.edits.count + transaction.events.count + transaction.audit.count
            + transaction.outbox.count + transaction.checks.count
        guard parts <= StateLimits.editsPerTransaction else {
            throw StateError.tooMany(
                what: "parts of one transaction", limit: StateLimits.editsPerTransaction)
        }
        for edit in transaction.edits { try check(edit) }
        for event in transaction.events { try check(event) }
        for entry in transaction.audit { try check(entry) }
        for message in transaction.outbox { try check(message) }
        if let answer = transaction.answer { try check(answer) }
    }

    static func check(_ key: DocumentKey) throws {
        try text(key.kind.text, "kind", 1...StateLimits.kindBytes)
        guard key.kind.text.utf8.allSatisfy({ $0 != UInt8(ascii: "/") }) else {
            throw StateError.invalid(what: "kind", reason: "'\(key.kind)' has a '/'")
        }
        try text(key.name, "name", 1...StateLimits.nameBytes)
    }

    static func check(actor: String) throws {
        try text(actor, "actor", 1...StateLimits.actorBytes)
    }

    static func check(_ answer: IdempotentAnswer) throws {
        try check(answer.key)
        let headers = answer.headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        try bytes(answer.body.count + headers, "answer", StateLimits.answerBytes)
    }

    static func check(_ key: IdempotencyKey) throws {
        try text(key.key, "idempotency key", 1...StateLimits.idempotencyKeyBytes)
        try text(key.token, "token", 1...StateLimits.actorBytes)
    }

    /// One line of the given length: no control character ever reaches a terminal or a log.
    static func text(_ text: String, _ what: String, _ length: ClosedRange<Int>) throws {
        let count = text.utf8.count
        guard count <= length.upperBound else {
            throw StateError.tooLarge(what: what, bytes: count, limit: length.upperBound)
        }
        guard count >= length.lowerBound else {
            throw StateError.invalid(what: what, reason: "must not be empty")
        }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw StateError.invalid(what: what, reason: "has a control character")
        }
    }

    static func bytes(_ count: Int, _ what: String, _ limit: Int) throws {
        guard count <= limit else {
            throw StateError.tooLarge(what: what, bytes: count, limit: limit)
        }
    }

    private static func check(_ edit: Transaction.Edit) throws {
        switch edit {
        case .delete(let key, _), .purge(let key, _): try check(key)
        case .put(let draft):
            try check(draft.key)
            try bytes(draft.spec?.utf8.count ?? 0, "\(draft.key) spec", StateLimits.specBytes)
            try bytes(draft.status?.utf8.count ?? 0, "\(draft.key) status", StateLimits.statusBytes)
            if let id = draft.id { try text(id, "id", 1...StateLimits.labelKeyBytes) }
            try check(labels: draft.labels ?? [:])
        }
    }

    private static func check(labels: [String: String]) throws {
        guard labels.count <= StateLimits.labels else {
            throw StateError.tooMany(what: "labels", limit: StateLimits.labels)
        }
        for (key, value) in labels {
            try text(key, "label", 1...StateLimits.labelKeyBytes)
            guard !key.utf8.contains(UInt8(ascii: "=")) else {
                throw StateError.invalid(what: "label '\(key)'", reason: "has a '='")
            }
            try text(value, "label '\(key)'", 0...StateLimits.labelValueBytes)
        }
    }

    private static func check(_ event: EventDraft) throws {
        try check(event.key)
        try text(event.reason, "reason", 1...StateLimits.reasonBytes)
    }

    private static func check(_ entry: AuditDraft) throws {
        try check(entry.target)
        try text(entry.action, "action", 1...StateLimits.actionBytes)
        try text(entry.requestID, "request id", 0...StateLimits.actorBytes)
    }

    private static func check(_ message: OutboxDraft) throws {
        try text(message.topic, "topic", 1...StateLimits.topicBytes)
        try bytes(message.payload.utf8.count, "payload", StateLimits.payloadBytes)
    }
}
