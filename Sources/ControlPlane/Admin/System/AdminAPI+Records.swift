// What is written down: events, the audit trail, and whether its chain of hashes holds.

import Deployments
import Foundation
import Notation
import State

extension AdminAPI {
    func listEvents(_ call: AdminCall) async throws -> AdminResponse {
        let name = call.query.text("deployment")
        let readable = try await readableEnvironments(call)
        if let name, !readable.mayRead(name) {
            try call.require(.read, .event, in: "production")
        }
        let page = try await needed().store.events(
            EventQuery(
                kind: name == nil ? nil : DocumentKind("deployment"), name: name,
                type: call.query.text("type").flatMap(EventType.init),
                pageSize: Listing.size(call.query), pageToken: call.query.text("pageToken")))
        let events = page.events.filter { event in
            event.kind != "deployment" || readable.mayRead(event.name)
        }
        return .json(
            .object([
                "events": .array(events.map(\.json)),
                "next_page_token": .string(page.nextPageToken ?? ""),
            ]))
    }

    func listAudit(_ call: AdminCall) async throws -> AdminResponse {
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
        return .json(
            .object([
                "entries": .array(page.entries.map(\.json)),
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
