// One change of one document, as a watch tells it.

package struct DocumentChange: Sendable, Equatable {
    package enum Change: Int, Sendable, Codable {
        case added = 0
        case modified = 1
        case deleted = 2

        /// `added`, `modified`, `deleted`.
        package var word: String {
            switch self {
            case .added: "added"
            case .modified: "modified"
            case .deleted: "deleted"
            }
        }
    }

    /// Its own number: changes of one commit have successive ones. Resume a watch from it.
    package var sequence: UInt64
    package var change: Change
    /// As it was after the change; its last content when deleted.
    package var document: Document

    package var key: DocumentKey { document.key }

    package init(sequence: UInt64, change: Change, document: Document) {
        self.sequence = sequence
        self.change = change
        self.document = document
    }
}
