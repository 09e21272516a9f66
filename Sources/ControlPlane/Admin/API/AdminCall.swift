// A request that has been let in: its row of the table, its path's parameters, its query, and who
// sends it. The body comes last, for nobody unknown has one read.

import Deployments
import Foundation
import Notation
import State

struct AdminCall: Sendable {
    var request: AdminRequest
    let endpoint: AdminEndpoint
    let parameters: [String: String]
    let query: QueryValues
    /// Nil where no token is needed and none was sent.
    let token: Token?
    let requestID: String
    /// Set when the request may be repeated.
    var repetition: Repetition?

    /// A part of the path; the pattern has seen to its being there.
    func path(_ name: String) -> String { parameters[name] ?? "" }

    /// For the audit trail.
    var actor: String { token.map { "token:\($0.id)" } ?? "anonymous" }

    var authorization: Authorization { Authorization(grants: token?.grants ?? []) }

    /// - Throws: a 403 that says what is missing.
    func require(
        _ verb: Verb, _ resource: ResourceKind, in environment: String?
    ) throws(Problem) {
        guard !authorization.allows(verb, resource, in: environment) else { return }
        let place = environment.map { " in \($0)" } ?? ""
        let roles = Set(authorization.grants.map(\.role.rawValue)).sorted().joined(separator: ", ")
        throw Problem(
            status: 403, code: "FORBIDDEN",
            detail: "the token may not \(verb.rawValue) a \(resource.rawValue)\(place)",
            hint: "it has: \(roles.isEmpty ? "no role" : roles); GET /v1/whoami tells all of it")
    }

    /// Only rows of changes take the parameter.
    var isDryRun: Bool { query.flag("dryRun") }

    /// The body as JSON; an empty one is an empty object.
    func json() throws(Problem) -> JSONValue {
        if request.body.isEmpty { return .object([JSONValue.Member]()) }
        do {
            return try JSONReader.read(request.body)
        } catch {
            throw Problem(
                status: 400, code: "INVALID_JSON",
                detail: "line \(error.line), column \(error.column): \(error.reason)")
        }
    }

    func values(_ form: BodyForm) throws(Problem) -> BodyValues {
        try form.read(json())
    }

    /// `If-Match`: a version, or nil for any.
    ///
    /// - Throws: 428 where a row needs it.
    func expectedVersion() throws(Problem) -> String? {
        guard let text = request.headers["if-match"] else {
            guard endpoint.isConditional else { return nil }
            throw Problem(
                status: 428, code: "PRECONDITION_REQUIRED",
                detail: "say which version you change: If-Match is missing",
                hint: "send the ETag of a GET, or 'If-Match: *' for any version")
        }
        if text == "*" { return nil }
        guard let version = EntityTag.version(text) else {
            throw Problem(
                status: 400, code: "INVALID_PARAMETER",
                detail: "If-Match is \(Spelling.quoted(text)); allowed: one strong ETag, or *")
        }
        return version
    }

    /// `Prefer: wait=30`; at most half a minute, zero without it.
    var patience: Duration {
        for part in (request.headers["prefer"] ?? "").split(separator: ",") {
            // Whatever a client sends here: a preference may be nothing but its parameters.
            let words = part.prefix { $0 != ";" }.split(separator: "=")
            guard words.count == 2, words[0].trimmingCharacters(in: .whitespaces) == "wait",
                let seconds = Int(words[1].trimmingCharacters(in: .whitespaces)), seconds > 0
            else { continue }
            return .seconds(min(seconds, 30))
        }
        return .zero
    }

    /// What the controller is told of who asks.
    ///
    /// - Parameter environment: where the change is made: rights are for places.
    func change(
        isDryRun: Bool, in environment: String? = nil, reason: String? = nil
    ) throws(Problem) -> ChangeRequest {
        let conflict = query.text("onConflict").flatMap(ChangeRequest.OnConflict.init)
        var request = ChangeRequest(
            actor: actor, isAdmin: authorization.isAdmin(in: environment), reason: reason,
            requestID: requestID,
            expectedVersion: try expectedVersion(), isDryRun: isDryRun,
            onConflict: conflict)
        request.mayUpdate = authorization.allows(.update, .deployment, in: environment)
        request.source = query.text("source") ?? ChangeRequest.applySource
        return request
    }
}

/// Strong entity tags: a version in quotes.
enum EntityTag {
    static func text(_ version: String) -> String { "\"\(version)\"" }

    static func version(_ text: String) -> String? {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
        let version = text.dropFirst().dropLast()
        return version.contains("\"") || version.isEmpty ? nil : String(version)
    }

    /// `If-None-Match`: `*`, or a list of tags, weak ones among them, compared weakly (RFC 9110,
    /// 13.1.2). A version has no comma, so what has one is another tag.
    static func matches(_ field: String?, version: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let tag = part.trimmingCharacters(in: .whitespaces)
            if tag == "*" { return true }
            return self.version(tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag) == version
        }
    }
}
