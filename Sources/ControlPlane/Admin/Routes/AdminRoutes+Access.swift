// Rows about who may do what: tokens, oneself, and questions about rights.

import Deployments
import Notation
import State

extension AdminRoutes {
    static let note = BodyKey<String>(
        "note", .text(0...200), "What it is for.", example: "deploys from CI")
    static let lifetime = BodyKey<Duration>(
        "expires_in", .seconds(.seconds(60)...(.seconds(366 * 24 * 3600))),
        "For so long; 90 days without it.", example: "720h")
    static let grants = BodyKey<[GrantDraft]>(
        "grants",
        .list(of: .grant, 1...16, what: "grants"), required: true,
        "Roles, each everywhere or in some environments.",
        example: .array([
            .object(["role": "engineer", "environments": .texts(["development", "staging"])])
        ]))
    static let tokenDraft = BodyForm(grants.field, note.field, lifetime.field)

    static let checks = BodyKey<[RightQuestion]>(
        "checks", .list(of: .rightQuestion, 1...200, what: "questions"), required: true,
        "What one wants to know.",
        example: .array([
            .object(["verb": "scale", "resource": "deployment", "environment": "production"])
        ]))
    static let questions = BodyForm(checks.field)

    static let access: [AdminEndpoint] = [
        AdminEndpoint(
            .get, "/v1/whoami", "whoAmI", "access", .anyToken, "The token that asks.",
            answers: [200: .json("WhoAmI", "Its roles and expiry.")]
        ) { api, call in try api.whoAmI(call) },
        AdminEndpoint(
            .post, "/v1/authz:check", "checkRights", "access", .anyToken,
            "Whether the token may do each of these.", body: .form(questions),
            answers: [200: .json("RightAnswers", "One answer a question, in order.")],
            isQuestion: true
        ) { api, call in try api.checkRights(call) },
        AdminEndpoint(
            .get, "/v1/tokens", "listTokens", "access", .needs(.read, .token, .none),
            "All tokens, without their secrets.", parameters: Listing.parameters,
            answers: [200: .json("TokenList", "A page of them.")]
        ) { api, call in try await api.listTokens(call) },
        AdminEndpoint(
            .post, "/v1/tokens", "createToken", "access", .needs(.create, .token, .none),
            "Makes a token; its secret is told this once.", body: .form(tokenDraft),
            answers: [
                201: .json("NewToken", "With its secret.").leading(
                    to: ["getToken", "revokeToken"], ["id": "$response.body#/id"])
            ]
        ) { api, call, isDryRun in try await api.createToken(call, isDryRun: isDryRun) },
        AdminEndpoint(
            .get, "/v1/tokens/{id}", "getToken", "access", .needs(.read, .token, .none),
            "One token, without its secret.", answers: [200: .json("Token", "It.")]
        ) { api, call in
            .json(try await api.token(call.path("id")).json)
        },
        AdminEndpoint(
            .delete, "/v1/tokens/{id}", "revokeToken", "access", .needs(.revoke, .token, .none),
            "Ends a token at once.", answers: [200: .json("Token", "Revoked.")]
        ) { api, call, isDryRun in try await api.revokeToken(call, isDryRun: isDryRun) },
    ]
}
