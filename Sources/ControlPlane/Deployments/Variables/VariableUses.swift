// Who still needs which version of a secret or config: every revision that is kept, because a
// deployment may go back to it. And the numbers that removed names have had: a number never means
// something else later.

import Foundation
import State

/// Versions of one variable that revisions name.
struct VariableUses {
    /// Revisions as people say them, by version.
    private(set) var users: [Int: [String]] = [:]
    /// Of the moment they were read: revisions made later are not among them.
    let sequence: UInt64

    var everyone: [String] { users.sorted { $0.key < $1.key }.flatMap(\.value) }

    func isUsed(_ version: Int) -> Bool { users[version] != nil }

    init(of kind: VariableKind, _ name: String, in store: any StateStore) async throws {
        var query = DocumentQuery(.revision)
        var page = try await store.list(query)
        sequence = page.sequence
        while true {
            for document in page.documents { try take(document, kind, name) }
            guard let token = page.nextPageToken else { return }
            query.pageToken = token
            page = try await store.list(query)
        }
    }

    /// What fulfils a change that relies on nobody else using more than these.
    var condition: Transaction.Check { .unchanged(.revision, since: sequence) }

    private mutating func take(
        _ document: Document, _ kind: VariableKind, _ name: String
    ) throws {
        // Names need no escape in JSON; most revisions do not have this one.
        guard document.spec.contains("\"\(name)\"") else { return }
        let revision = try document.spec(as: Pins.self)
        let pins =
            switch kind {
            case .secret: Array((revision.content.facts.pinned?.secrets ?? [:]).values)
            case .config: revision.content.facts.pinned?.configs ?? []
            }
        let deployment = document.name.prefix { $0 != "/" }
        for version in Set(pins.filter { $0.name == name }.map(\.version)) {
            users[version, default: []].append("\(deployment) revision \(revision.number)")
        }
    }

    /// The part of a revision that is read here; the rest may be of a later Penstock.
    private struct Pins: Decodable {
        var number: Int
        var content: Content

        struct Content: Decodable { var facts: Facts }
        struct Facts: Decodable { var pinned: PinnedVariables? }
    }
}

/// The last numbers of names that were removed: one document for each kind.
struct SpentNumbers: Codable, Equatable {
    /// Of names long forgotten: no new name begins below it.
    private var floor = 0
    /// Removed last comes last.
    private var names: [Spent] = []

    private struct Spent: Codable, Equatable {
        var name: String
        var number: Int
    }

    static func key(_ kind: VariableKind) -> DocumentKey {
        DocumentKey("variable-numbers", kind.rawValue)
    }

    func last(of name: String) -> Int { names.first { $0.name == name }?.number ?? floor }

    mutating func spend(_ number: Int, of name: String) {
        names.removeAll { $0.name == name }
        names.append(Spent(name: name, number: number))
        while names.count > Limits.spentNumbers { floor = max(floor, names.removeFirst().number) }
    }
}
