// Who did what to what. An entry is written in the same transaction as the change it tells of, so
// there is never one without the other, and carries the hash of the entry before it.

package import Foundation

/// An entry to be written with a transaction; time and actor are the transaction's.
package struct AuditDraft: Sendable, Equatable {
    /// `deployment.scale`, `traffic.set`, `token.revoke`.
    package var action: String
    package var target: DocumentKey
    /// Facts by name. Never a secret: what is written here is read by many and kept for years.
    package var detail: [String: String]
    /// The HTTP request that asked for it.
    package var requestID: String

    package init(
        _ action: String, _ target: DocumentKey, detail: [String: String] = [:],
        requestID: String = ""
    ) {
        self.action = action
        self.target = target
        self.detail = detail
        self.requestID = requestID
    }
}

package struct AuditEntry: Sendable, Equatable, Codable {
    /// Counts from 1 without a gap.
    package var id: UInt64
    package var at: Date
    package var actor: String
    package var action: String
    package var kind: String
    package var name: String
    /// SHA-256 of the target's content before and after this transaction, in hexadecimal; empty
    /// when there was none, or when the transaction did not change the target itself.
    package var before: String
    package var after: String
    package var requestID: String
    package var detail: [String: String]
    /// Of the entry before, in hexadecimal.
    package var previousHash: String
    /// SHA-256 over this entry and the hash before.
    package var hash: String

    private enum CodingKeys: String, CodingKey {
        case id, at, actor, action, kind, name, before, after, detail, hash
        case requestID = "request_id"
        case previousHash = "previous_hash"
    }
}

package struct AuditQuery: Sendable, Equatable {
    package var actor: String?
    package var kind: DocumentKind?
    /// Needs `kind`.
    package var name: String?
    /// The beginning of the action's name.
    package var action: String?
    package var since: Date?
    package var before: Date?
    /// At most `StateLimits.pageSize`.
    package var pageSize: Int
    package var pageToken: String?

    package init(
        actor: String? = nil, kind: DocumentKind? = nil, name: String? = nil,
        action: String? = nil, since: Date? = nil, before: Date? = nil, pageSize: Int = 100,
        pageToken: String? = nil
    ) {
        self.actor = actor
        self.kind = kind
        self.name = name
        self.action = action
        self.since = since
        self.before = before
        self.pageSize = pageSize
        self.pageToken = pageToken
    }
}

package struct AuditPage: Sendable, Equatable {
    /// Newest first.
    package var entries: [AuditEntry]
    package var nextPageToken: String?
}

/// What walking the chain has found.
package struct AuditVerdict: Sendable, Equatable, Codable {
    package var isIntact: Bool
    package var entriesChecked: UInt64
    /// The first entry that is wrong, and how; nil when intact.
    package var firstBad: UInt64?
    package var reason: String?
    /// Up to which entry a signed checkpoint vouches; 0 without one.
    package var signedUpTo: UInt64

    private enum CodingKeys: String, CodingKey {
        case reason
        case isIntact = "is_intact"
        case entriesChecked = "entries_checked"
        case firstBad = "first_bad"
        case signedUpTo = "signed_up_to"
    }
}
