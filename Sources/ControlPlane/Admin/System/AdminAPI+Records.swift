// What is written down: events, the audit trail, and whether its chain of hashes holds. Each is
// told to those who may read it where it happened.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    func listEvents(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.query.text("deployment")
        var readable = readable(call)
        if let name { try await requireEvents(of: name, call) }
        let page = try await needed().store.events(
            EventQuery(
                kind: name == nil ? nil : DocumentKind("deployment"), name: name,
                type: call.query.text("type").flatMap(EventType.init),
                pageSize: Listing.size(call.query), pageToken: call.query.text("pageToken")))
        var events: [Event] = []
        for event in page.events {
            if event.kind == "deployment", try await !readable.mayRead(event.name) { continue }
            events.append(event)
        }
        return .json(
            .object([
                "events": .array(events.map(\.json)),
                "next_page_token": .string(page.nextPageToken ?? ""),
            ]))
    }

    private func requireEvents(of name: String, _ call: AdminCall) async throws {
        guard let environment = try await environment(ofDeployment: name) else { return }
        try call.require(.read, .event, in: environment)
    }

    func listAudit(_ call: AdminCall) async throws -> AdminResponse {
        try requireSomewhere(.read, .audit, call)
        let query = call.query
        var audit = AuditQuery(
            actor: query.text("actor"), kind: query.text("kind").map { DocumentKind($0) },
            name: query.text("name"), action: query.text("action"),
            pageSize: Listing.size(query), pageToken: query.text("pageToken"))
        audit.since = try moment("since", query)
        audit.before = try moment("before", query)
        guard audit.name == nil || audit.kind != nil else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER", detail: "'name' needs 'kind' beside it")
        }
        let page = try await needed().store.audit(audit)
        let entries = try await page.entries.readable(by: call, of: self)
        return .json(
            .object([
                "entries": .array(entries.map(\.json)),
                "next_page_token": .string(page.nextPageToken ?? ""),
            ]))
    }

    func verifyAudit() async throws -> AdminResponse {
        let verdict = try await needed().store.verifyAudit()
        return .json(
            .object([
                "intact": .bool(verdict.isIntact),
                "entries_checked": .count(verdict.entriesChecked),
                "first_bad": verdict.firstBad.map { .count($0) },
                "reason": .optional(verdict.reason), "signed_up_to": .count(verdict.signedUpTo),
            ]))
    }

    func moment(_ name: String, _ query: QueryValues) throws(Problem) -> Date? {
        guard let text = query.text(name) else { return nil }
        guard let date = Moment.date(text) else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "'\(name)' is \(Spelling.quoted(text)); allowed: a moment such as "
                    + "2026-01-31T09:30:00Z")
        }
        return date
    }
}

extension [AuditEntry] {
    /// The whole trail for those who may read it everywhere; for others what was done in their
    /// environments, and nothing of what belongs to none: models, tokens, the gateway itself.
    fileprivate func readable(by call: AdminCall, of api: AdminAPI) async throws -> Self {
        let authorization = call.authorization
        if authorization.isUnlimited(.read, .audit) { return self }
        var readable: Self = []
        var places: [String: String?] = [:]
        for entry in self {
            let thing = "\(entry.kind)/\(entry.placeName)"
            if places[thing] == nil {
                places.updateValue(try await api.environment(of: entry), forKey: thing)
            }
            guard let place = places[thing] ?? nil,
                authorization.allows(.read, .audit, in: place)
            else { continue }
            readable.append(entry)
        }
        return readable
    }
}

extension AuditEntry {
    /// Of what its environment is known by.
    fileprivate var placeName: String {
        switch kind {
        case "replica", "revision": String(name.prefix { $0 != "/" })
        case "operation": detail["deployment"] ?? ""
        default: name
        }
    }
}

extension AdminAPI {
    fileprivate func environment(of entry: AuditEntry) async throws -> String? {
        switch entry.kind {
        case "deployment", "replica", "revision", "operation", "service":
            return try await environment(ofDeployment: entry.placeName)
        default:
            guard let kind = VariableKind(rawValue: entry.kind) else { return nil }
            do {
                return try await needed().variables.record(kind, entry.name).environment.rawValue
            } catch is VariableError {
                // Removed without a trace.
                return nil
            }
        }
    }
}

extension Event {
    fileprivate var json: JSONValue {
        .object([
            "id": .count(id), "kind": .string(kind), "name": .string(name),
            "type": .string(type.rawValue), "reason": .string(reason),
            "message": .string(message), "actor": .string(actor), "count": .count(count),
            "first_at": .time(firstAt), "last_at": .time(lastAt),
        ])
    }
}

extension AuditEntry {
    fileprivate var json: JSONValue {
        .object([
            "id": .count(id), "at": .time(at), "actor": .string(actor),
            "action": .string(action), "kind": .string(kind), "name": .string(name),
            "before": .string(before), "after": .string(after),
            "request_id": .string(requestID), "detail": .map(detail),
            "previous_hash": .string(previousHash), "hash": .string(hash),
        ])
    }
}
