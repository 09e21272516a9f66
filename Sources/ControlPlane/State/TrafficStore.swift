// What the control plane must remember about traffic, and the one way to change it: a whole
// transition, committed or not. SQLite on one machine implements it today; a store shared by
// several gateways can, because a commit is a compare-and-set on the generation.

package import Foundation

package protocol TrafficStore: Sendable {
    /// Everything remembered, as of one moment.
    func trafficMemory() throws -> TrafficMemory

    /// Writes edits, generation and audit record together or not at all.
    ///
    /// - Throws: `StateError`; `staleGeneration` when the generation is not above the stored one.
    func commit(_ transition: TrafficTransition) throws
}

package struct TrafficMemory: Sendable, Equatable {
    package var overrides: [TrafficOverride] = []
    package var drains: [EndpointDrain] = []
    /// Of the last plan stored; 0 before the first.
    package var generation: UInt64 = 0

    package init() {}
}

/// A split set through the API, and the file's value it was set over.
package struct TrafficOverride: Sendable, Equatable, Codable {
    package var service: String
    /// Thousandths by revision.
    package var weights: [String: Int]
    /// The file's own split at the time; once that changes, the override has had its day.
    package var fileFingerprint: String
    package var createdAt: Date

    package init(
        service: String, weights: [String: Int], fileFingerprint: String, createdAt: Date
    ) {
        self.service = service
        self.weights = weights
        self.fileFingerprint = fileFingerprint
        self.createdAt = createdAt
    }
}

/// An endpoint drained, or kept undrained, through the API.
package struct EndpointDrain: Sendable, Equatable, Codable {
    package var service: String
    package var address: String
    package var isDrained: Bool
    package var fileFingerprint: String
    package var createdAt: Date

    package init(
        service: String, address: String, isDrained: Bool, fileFingerprint: String, createdAt: Date
    ) {
        self.service = service
        self.address = address
        self.isDrained = isDrained
        self.fileFingerprint = fileFingerprint
        self.createdAt = createdAt
    }
}

package enum TrafficEdit: Sendable, Equatable {
    case setSplit(TrafficOverride)
    case clearSplit(service: String)
    case setDrain(EndpointDrain)
    case clearDrain(service: String, address: String)
}

package struct TrafficTransition: Sendable, Equatable {
    package var generation: UInt64
    package var at: Date
    package var edits: [TrafficEdit]
    /// Who did what; empty when only the generation moves.
    package var changes: [ChangeRecord]

    package init(
        generation: UInt64, at: Date, edits: [TrafficEdit] = [], changes: [ChangeRecord] = []
    ) {
        self.generation = generation
        self.at = at
        self.edits = edits
        self.changes = changes
    }
}

/// One line of the audit trail.
package struct ChangeRecord: Sendable, Equatable {
    package var at: Date
    package var actor: String
    package var action: String
    package var target: String
    /// Facts by name; no secrets.
    package var detail: [String: String]

    package init(
        at: Date, actor: String, action: String, target: String, detail: [String: String] = [:]
    ) {
        self.at = at
        self.actor = actor
        self.action = action
        self.target = target
        self.detail = detail
    }
}
