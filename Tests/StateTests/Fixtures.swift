// What the tests of the store have in common: a moment, short names, and a store in a directory of
// its own.

import Foundation
import State

extension DocumentKind {
    static let deployment: DocumentKind = "deployment"
    static let replica: DocumentKind = "replica"
}

enum Sample {
    static let moment = Date(timeIntervalSince1970: 1_700_000_000.125)

    static let iris = DocumentKey(.deployment, "iris")

    static func after(_ seconds: TimeInterval) -> Date { moment.addingTimeInterval(seconds) }

    static func transaction(at date: Date = moment, actor: String = "alice") -> Transaction {
        Transaction(at: date, actor: actor)
    }

    static func put(
        _ key: DocumentKey, _ condition: Condition = .any, spec: String? = "{}",
        status: String? = nil, labels: [String: String]? = nil, at date: Date = moment
    ) -> Transaction {
        var transaction = transaction(at: date)
        transaction.edits = [
            .put(
                DocumentDraft(key, condition, spec: spec, status: status, labels: labels))
        ]
        return transaction
    }

    static func delete(_ key: DocumentKey, _ condition: Condition = .present) -> Transaction {
        var transaction = transaction()
        transaction.edits = [.delete(key, condition)]
        return transaction
    }
}

extension Store {
    /// Why a transaction is refused; nil when it was done.
    func refusal(_ transaction: Transaction) async throws -> StateError? {
        do {
            try await commit(transaction)
            return nil
        } catch let error as StateError {
            return error
        }
    }
}
