// What others are to be told because of a change: written with the change, sent afterwards, tried
// again until it is delivered or given up. At least once, hence the id.

package import Foundation

/// A message to be written with a transaction.
package struct OutboxDraft: Sendable, Equatable {
    /// Which sender takes it: `webhook`, `trigger`.
    package var topic: String
    /// JSON.
    package var payload: String

    package init(topic: String, payload: String) {
        self.topic = topic
        self.payload = payload
    }
}

package struct OutboxMessage: Sendable, Equatable {
    package var id: UInt64
    package var topic: String
    package var payload: String
    package var createdAt: Date
    package var nextAttemptAt: Date
    package var attempts: Int
    package var lastError: String
    /// Given up: kept to be looked at and replayed.
    package var isDead: Bool
}
