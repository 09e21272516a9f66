// Which documents, in which order, how many at a time.

package struct DocumentQuery: Sendable, Equatable {
    package enum Order: String, Sendable, Codable {
        case name
        case created
        /// By the last change. A document that changes while pages are read may be met again, or
        /// not at all when descending: watch since the list's sequence to have it.
        case updated
    }

    /// A field of the spec or status with the text it must have; numbers, `true` as JSON has them.
    package struct FieldMatch: Sendable, Equatable {
        package enum Part: String, Sendable { case spec, status }
        package var part: Part
        /// Names from the root, each of letters, digits, `_` and `-`.
        package var path: [String]
        /// Any of these.
        package var values: [String]

        package init(_ part: Part, _ path: String..., oneOf values: [String]) {
            self.part = part
            self.path = path
            self.values = values
        }
    }

    package var kind: DocumentKind
    /// Names that begin with it.
    package var prefix: String
    /// All of them.
    package var labels: [String: String]
    /// All of them.
    package var fields: [FieldMatch]
    package var order: Order
    package var isDescending: Bool
    /// At most `StateLimits.pageSize`; more is lowered to that.
    package var pageSize: Int
    /// From the page before; nil is the first.
    package var pageToken: String?

    package init(
        _ kind: DocumentKind, prefix: String = "", labels: [String: String] = [:],
        fields: [FieldMatch] = [], order: Order = .name, isDescending: Bool = false,
        pageSize: Int = StateLimits.pageSize, pageToken: String? = nil
    ) {
        self.kind = kind
        self.prefix = prefix
        self.labels = labels
        self.fields = fields
        self.order = order
        self.isDescending = isDescending
        self.pageSize = pageSize
        self.pageToken = pageToken
    }
}

/// Part of a list. Each page is of one moment; a document that exists throughout is on exactly one
/// page (ordered by name or creation). To follow a list, watch since the sequence it gives.
package struct DocumentPage: Sendable, Equatable {
    package var documents: [Document]
    /// Of the moment of the *first* page: a watch since then misses nothing that any page lacks.
    package var sequence: UInt64
    /// Nil at the end.
    package var nextPageToken: String?

    package init(documents: [Document], sequence: UInt64, nextPageToken: String?) {
        self.documents = documents
        self.sequence = sequence
        self.nextPageToken = nextPageToken
    }
}
