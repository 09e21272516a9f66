// What happened to a thing, in words for people. The same event again within the window is counted
// rather than repeated; each target keeps its newest few hundred.

package import Foundation

package enum EventType: String, Sendable, Codable, CaseIterable {
    case normal = "Normal"
    case warning = "Warning"
}

/// An event to be recorded with a transaction; time and actor are the transaction's.
package struct EventDraft: Sendable, Equatable {
    package var key: DocumentKey
    package var type: EventType
    /// One word in CamelCase, for programs: `ReplicaFailed`.
    package var reason: String
    /// A sentence, for people.
    package var message: String

    package init(_ key: DocumentKey, _ type: EventType, reason: String, message: String) {
        self.key = key
        self.type = type
        self.reason = reason
        self.message = message
    }
}

package struct Event: Sendable, Equatable, Codable {
    /// Grows with each record and each repetition.
    package var id: UInt64
    package var kind: String
    package var name: String
    package var type: EventType
    package var reason: String
    package var message: String
    package var actor: String
    package var count: Int
    package var firstAt: Date
    package var lastAt: Date

    private enum CodingKeys: String, CodingKey {
        case id, kind, name, type, reason, message, actor, count
        case firstAt = "first_at"
        case lastAt = "last_at"
    }
}

package struct EventQuery: Sendable, Equatable {
    /// Nil is any.
    package var kind: DocumentKind?
    /// Nil is any; needs `kind`.
    package var name: String?
    package var type: EventType?
    /// At most `StateLimits.pageSize`.
    package var pageSize: Int
    package var pageToken: String?

    package init(
        of key: DocumentKey, type: EventType? = nil, pageSize: Int = 100, pageToken: String? = nil
    ) {
        self.init(
            kind: key.kind, name: key.name, type: type, pageSize: pageSize, pageToken: pageToken)
    }

    package init(
        kind: DocumentKind? = nil, name: String? = nil, type: EventType? = nil,
        pageSize: Int = 100, pageToken: String? = nil
    ) {
        self.kind = kind
        self.name = name
        self.type = type
        self.pageSize = pageSize
        self.pageToken = pageToken
    }
}

package struct EventPage: Sendable, Equatable {
    package var events: [Event]
    /// Nil at the end.
    package var nextPageToken: String?

    package init(events: [Event], nextPageToken: String?) {
        self.events = events
        self.nextPageToken = nextPageToken
    }
}
