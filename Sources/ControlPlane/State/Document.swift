// The unit of memory: a document with a name, a version, and what somebody wants (spec) beside what
// is so (status). Both are JSON text; only their owners know their shape. A version is the sequence
// number of the document's last change, so versions order changes of all documents.

package import Foundation

/// What sort of thing a document tells of. Owners declare theirs in an extension.
package struct DocumentKind: Hashable, Sendable, Comparable, ExpressibleByStringLiteral,
    CustomStringConvertible
{
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(stringLiteral text: String) { self.text = text }

    package var description: String { text }

    package static func < (left: DocumentKind, right: DocumentKind) -> Bool {
        left.text < right.text
    }
}

/// Names a document among all: at any time at most one live document has it.
package struct DocumentKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var kind: DocumentKind
    /// Unique within the kind. Parts are joined by `/`, as in `iris/r3`; list them by prefix.
    package var name: String

    package init(_ kind: DocumentKind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    package var description: String { "\(kind)/\(name)" }

    package static func < (left: DocumentKey, right: DocumentKey) -> Bool {
        (left.kind, left.name) < (right.kind, right.name)
    }
}

package struct Document: Sendable, Equatable {
    package var key: DocumentKey
    /// Sortable by creation, never reused: a deleted name that is created again has another id.
    package var id: String
    /// Counts changes of the spec, from 1. A status says which it has seen.
    package var generation: UInt64
    /// The sequence number of the last change; what an ETag shows and `Condition.version` expects.
    package var version: UInt64
    package var labels: [String: String]
    package var createdAt: Date
    package var updatedAt: Date
    package var createdBy: String
    /// Set in tombstones only.
    package var deletedAt: Date?
    /// JSON.
    package var spec: String
    /// JSON.
    package var status: String?

    package var kind: DocumentKind { key.kind }
    package var name: String { key.name }

    package init(
        key: DocumentKey, id: String, generation: UInt64, version: UInt64,
        labels: [String: String] = [:], createdAt: Date, updatedAt: Date, createdBy: String,
        deletedAt: Date? = nil, spec: String, status: String? = nil
    ) {
        self.key = key
        self.id = id
        self.generation = generation
        self.version = version
        self.labels = labels
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.createdBy = createdBy
        self.deletedAt = deletedAt
        self.spec = spec
        self.status = status
    }
}

extension Document {
    /// The spec as a value.
    ///
    /// - Throws: `StateError.unreadable` when the text has another shape.
    package func spec<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONText.decode(type, from: spec, of: "\(key) spec")
    }

    /// The status as a value; nil when there is none yet.
    package func status<Value: Decodable>(as type: Value.Type) throws -> Value? {
        try status.map { try JSONText.decode(type, from: $0, of: "\(key) status") }
    }
}
