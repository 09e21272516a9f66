// Tokens and rights. A token's secret is told once, by the answer that makes it; such an answer is
// never stored for repetition.

import Deployments
import Foundation
import Notation
import State

/// A role asked for, in all environments (nil) or in some.
struct GrantDraft: Sendable, Equatable {
    var role: Role
    var environments: Set<String>?
}

/// May the token do this?
struct RightQuestion: Sendable, Equatable {
    var verb: Verb
    var resource: ResourceKind
    var environment: String?
}

extension AdminAPI {
    func whoAmI(_ call: AdminCall) throws -> AdminResponse {
        guard let token = call.token else {
            throw Problem(status: 401, code: "UNAUTHORIZED", detail: "a token is needed")
        }
        return .json(token.json)
    }

    func checkRights(_ call: AdminCall) throws -> AdminResponse {
        let questions = try call.values(AdminRoutes.questions).needed(AdminRoutes.checks)
        return .json(
            .object([
                "results": .array(
                    questions.map { question in
                        .object([
                            "verb": .string(question.verb.rawValue),
                            "resource": .string(question.resource.rawValue),
                            "environment": .optional(question.environment),
                            "allowed": .bool(
                                call.authorization.allows(
                                    question.verb, question.resource, in: question.environment)),
                        ])
                    })
            ]))
    }

    func listTokens(_ call: AdminCall) async throws -> AdminResponse {
        let listing = try Listing(call.query, pager, question: "tokens", of: "Token")
        let tokens = try await needed().store.tokens()
        return .json(listing.page(tokens, as: "tokens", id: { $0.id }, render: { $0.json }))
    }

    func createToken(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let values = try call.values(AdminRoutes.tokenDraft)
        let grants = try values.needed(AdminRoutes.grants)
        var draft = TokenDraft(
            grants: grants.map { Grant($0.role, in: $0.environments) },
            note: values[AdminRoutes.note] ?? "")
        if let lifetime = values[AdminRoutes.lifetime] { draft.lifetime = lifetime }
        let store = try needed().store
        if isDryRun {
            // It has no id: that is given when it is made.
            let token = try store.checkedToken(draft, id: "", by: call.actor, now: date())
            return .dryRun(token.json.setting("id", to: nil))
        }
        let made = try await store.createToken(draft, by: call.actor, now: date()) { token in
            // With the token: after a crash it is not made twice.
            call.repetition?.stored(Self.toldBefore(token.id, call.requestID))
        }
        return .json(
            made.record.json.merging(.object(["secret": .string(made.secret.text)])), status: 201,
            headers: ["location": "/v1/tokens/\(made.record.id)"])
    }

    /// For a request that comes again: the token is there, and who has its secret is not known.
    private static func toldBefore(_ id: String, _ requestID: String) -> AdminResponse {
        Problem(
            status: 409, code: "TOKEN_ALREADY_MADE",
            detail: "the first request with this Idempotency-Key made token \(id); its secret was "
                + "told then, and is not kept",
            hint: "if that answer was lost, revoke the token and make another with a new key"
        ).response(requestID: requestID)
    }

    func token(_ id: String) async throws -> Token {
        guard let token = try await needed().store.token(id) else {
            throw Problem(
                status: 404, code: "TOKEN_NOT_FOUND",
                detail: "there is no token \(Spelling.quoted(id))")
        }
        return token
    }

    func revokeToken(_ call: AdminCall, isDryRun: Bool) async throws -> AdminResponse {
        let token = try await token(call.path("id"))
        guard !token.isBootstrap else {
            throw Problem(
                status: 409, code: "BOOTSTRAP_TOKEN",
                detail: "this is the token of admin.token in the state directory",
                hint: "to replace it, stop the gateway, delete the file, start again")
        }
        if isDryRun {
            var revoked = token
            revoked.revokedAt = token.revokedAt ?? Moment.rounded(date())
            return .json(revoked.json.marked(true))
        }
        let revoked = try await needed().store.revokeToken(token.id, by: call.actor, now: date())
        return .json(revoked.json)
    }
}

extension Token {
    var json: JSONValue {
        .object([
            "kind": "token", "id": .string(id), "note": .string(note),
            "grants": .array(
                grants.map { grant in
                    .object([
                        "role": .string(grant.role.rawValue),
                        "environments": grant.environments.map { .texts($0.sorted()) },
                    ])
                }), "created_at": .time(createdAt), "created_by": .string(createdBy),
            "expires_at": expiresAt.map(JSONValue.time),
            "last_used_at": lastUsedAt.map(JSONValue.time),
            "revoked_at": revokedAt.map(JSONValue.time), "bootstrap": .bool(isBootstrap),
        ])
    }
}

extension Form<GrantDraft> {
    private static let environments = Form<[DeploymentSpec.Environment]>.list(
        of: .word(DeploymentSpec.Environment.self), 1...3, what: "environments")

    /// `{"role": "operator", "environments": ["staging"]}`.
    static let grant = Form(
        "a role and its environments",
        schema: .object([
            "type": "object", "additionalProperties": false, "required": .texts(["role"]),
            "properties": .object([
                "role": Form<Role>.word(Role.self).schema, "environments": environments.schema,
            ]),
        ]), show: { _ in nil }
    ) { value, place in
        let members = place.members(of: value, taking: ["role", "environments"])
        guard let members, let word = place.required("role", members),
            let role = Form<Role>.word(Role.self).read(word, place.child("role"))
        else { return nil }
        guard let list = members["environments"] else { return GrantDraft(role: role) }
        guard let names = environments.read(list, place.child("environments")) else { return nil }
        return GrantDraft(role: role, environments: Set(names.map(\.rawValue)))
    }
}

extension Form<RightQuestion> {
    static let rightQuestion = Form(
        "a verb, a resource and an environment",
        schema: .object([
            "type": "object", "additionalProperties": false,
            "required": .texts(["verb", "resource"]),
            "properties": .object([
                "verb": Form<Verb>.word(Verb.self).schema,
                "resource": Form<ResourceKind>.word(ResourceKind.self).schema,
                "environment": Form<DeploymentSpec.Environment>.word(
                    DeploymentSpec.Environment.self
                ).schema,
            ]),
        ]), show: { _ in nil }
    ) { value, place in
        let members = place.members(of: value, taking: ["verb", "resource", "environment"])
        guard let members, let verbWord = place.required("verb", members),
            let verb = Form<Verb>.word(Verb.self).read(verbWord, place.child("verb")),
            let kindWord = place.required("resource", members),
            let kind = Form<ResourceKind>.word(ResourceKind.self).read(
                kindWord, place.child("resource"))
        else { return nil }
        guard let word = members["environment"] else {
            return RightQuestion(verb: verb, resource: kind)
        }
        let form = Form<DeploymentSpec.Environment>.word(DeploymentSpec.Environment.self)
        guard let environment = form.read(word, place.child("environment")) else { return nil }
        return RightQuestion(verb: verb, resource: kind, environment: environment.rawValue)
    }
}

extension Place {
    /// By snake_case name; unknown ones are refused. Nil when it is no object.
    fileprivate func members(
        of value: JSONValue, taking names: [String]
    ) -> [String: JSONValue]? {
        guard let members = value.members else {
            wrongType(value, wanted: "an object")
            return nil
        }
        var result: [String: JSONValue] = [:]
        for member in members {
            let name = Spelling.snakeCase(member.name)
            guard names.contains(name) else {
                child(member.name).refuse(
                    .unknownField,
                    "unknown member \(Spelling.quoted(member.name)); allowed: "
                        + names.joined(separator: ", "))
                continue
            }
            result[name] = member.value
        }
        return result
    }

    fileprivate func required(_ name: String, _ members: [String: JSONValue]) -> JSONValue? {
        if let value = members[name] { return value }
        child(name).refuse(.missing, "'\(name)' is missing")
        return nil
    }
}
