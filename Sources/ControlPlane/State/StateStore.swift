// What a store of the control plane must be able to do: compare-and-swap (a transaction with
// conditions), watch, lease. SQLite on one machine does it today; a store that several gateways
// share can, because nothing here needs more than those three.

package import Foundation

package protocol StateStore: Sendable {
    func document(_ key: DocumentKey) async throws -> Document?

    /// - Throws: `StateError.badPageToken` for one that was not issued for this very query.
    func list(_ query: DocumentQuery) async throws -> DocumentPage

    /// How many there are, on whatever page.
    func count(_ query: DocumentQuery) async throws -> Int

    /// Does all of it or nothing.
    ///
    /// - Throws: `StateError`: `exists`, `missing`, `stale` or `fenced` when a condition does not
    ///   hold; `readOnly` and the faults of the disk when it cannot be stored.
    @discardableResult
    func commit(_ transaction: Transaction) async throws -> Commit

    /// The changes after a sequence number, in order, each exactly once, and then those to come.
    ///
    /// - Parameter kinds: empty is all.
    /// - Throws: `StateError.compacted` when they are no longer known: list, then watch since the
    ///   list's sequence. The iteration throws the same to a consumer that falls too far behind.
    func watch(_ kinds: Set<DocumentKind>, since sequence: UInt64) async throws -> DocumentWatch

    /// Newest first.
    func events(_ query: EventQuery) async throws -> EventPage

    /// Takes the lease, or prolongs it for its holder.
    ///
    /// - Throws: `StateError.leaseHeld` while it is another's.
    func acquireLease(_ name: String, holder: String, lasting: Duration, now: Date) async throws
        -> Lease

    /// Gives it back; no fault when it is no longer the holder's.
    func releaseLease(_ lease: Lease) async throws
}

extension StateStore {
    package func count(_ query: DocumentQuery) async throws -> Int {
        var query = query
        query.pageToken = nil
        return try await all(query).count
    }

    /// Every document of a query, page by page.
    package func all(_ query: DocumentQuery) async throws -> [Document] {
        var query = query
        var documents: [Document] = []
        repeat {
            let page = try await list(query)
            documents += page.documents
            query.pageToken = page.nextPageToken
        } while query.pageToken != nil
        return documents
    }

    /// Reads, changes, writes; again from the start when somebody else was faster.
    ///
    /// - Parameter change: gets what is stored and adds edits; may be called several times.
    @discardableResult
    package func update(
        _ key: DocumentKey, at: Date, actor: String, attempts: Int = StateLimits.updateAttempts,
        _ change: (Document, inout Transaction) throws -> Void
    ) async throws -> Commit {
        var attempt = 0
        while true {
            attempt += 1
            guard let found = try await document(key) else { throw StateError.missing(key) }
            var transaction = Transaction(at: at, actor: actor)
            try change(found, &transaction)
            do {
                return try await commit(transaction)
            } catch StateError.stale where attempt < attempts {
                continue
            }
        }
    }
}

/// A right that one holder has for a time.
package struct Lease: Sendable, Equatable {
    package var name: String
    package var holder: String
    /// Grows each time the lease changes hands: `Check.lease` refuses a holder that was overtaken.
    package var token: UInt64
    package var expiresAt: Date

    package init(name: String, holder: String, token: UInt64, expiresAt: Date) {
        self.name = name
        self.holder = holder
        self.token = token
        self.expiresAt = expiresAt
    }
}
