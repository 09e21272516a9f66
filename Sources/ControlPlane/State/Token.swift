// Who may speak to the admin port: a token's record. The secret itself is shown once, when it is
// made; what is kept is its SHA-256, which is enough to know it again and useless to a thief.

package import Foundation

package enum Role: String, Sendable, Codable, CaseIterable {
    case viewer, operator_ = "operator", engineer, approver, admin
}

/// A role, in all environments or in some.
package struct Grant: Sendable, Hashable, Codable {
    package var role: Role
    /// Nil is all of them, and what belongs to none.
    package var environments: Set<String>?

    package init(_ role: Role, in environments: Set<String>? = nil) {
        self.role = role
        self.environments = environments
    }
}

package struct Token: Sendable, Equatable {
    package var id: String
    package var grants: [Grant]
    package var note: String
    package var createdAt: Date
    package var createdBy: String
    /// Nil is never.
    package var expiresAt: Date?
    /// To the minute.
    package var lastUsedAt: Date?
    package var revokedAt: Date?
    /// Made from `admin.token` in the state directory.
    package var isBootstrap: Bool

    package init(
        id: String, grants: [Grant], note: String, createdAt: Date, createdBy: String,
        expiresAt: Date? = nil, lastUsedAt: Date? = nil, revokedAt: Date? = nil,
        isBootstrap: Bool = false
    ) {
        self.id = id
        self.grants = grants
        self.note = note
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.isBootstrap = isBootstrap
    }

    package func isGood(at now: Date) -> Bool {
        revokedAt == nil && (expiresAt.map { now < $0 } ?? true)
    }
}

package struct TokenDraft: Sendable, Equatable {
    package var grants: [Grant]
    package var note: String
    /// From now.
    package var lifetime: Duration

    package init(grants: [Grant], note: String, lifetime: Duration = StateLimits.tokenLifetime) {
        self.grants = grants
        self.note = note
        self.lifetime = lifetime
    }
}

/// A token just made: the only moment at which its text is known.
package struct NewToken: Sendable, Equatable {
    package var record: Token
    package var secret: AdminToken
}
