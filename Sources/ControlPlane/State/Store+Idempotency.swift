// The first request with a key does the work; the others get its answer.

package import Foundation
import GRDB

extension Store {
    /// - Parameter requestHash: of method, path and body; another request with the key is a
    ///   `mismatch`.
    package func beginIdempotent(
        _ key: IdempotencyKey, requestHash: String, now: Date,
        lasting: Duration = StateLimits.idempotencyLifetime
    ) async throws -> IdempotencyState {
        try Bounds.check(key)
        let expiresAt = now.addingTimeInterval(lasting / .seconds(1))
        let limit = retention.idempotencyRecords
        return try await write {
            try IdempotencyTable.begin(
                key, requestHash: requestHash, now: now, expiresAt: expiresAt, limit: limit,
                in: $0)
        }
    }

    /// Stores the answer of a request that changed no document; others carry it in their
    /// transaction.
    package func finishIdempotent(_ answer: IdempotentAnswer, now: Date) async throws {
        try Bounds.check(answer)
        try await write { try IdempotencyTable.finish(answer, now: now, in: $0) }
    }

    /// Frees the key of a request that was refused or failed, so that it can be tried again.
    package func abandonIdempotent(_ key: IdempotencyKey) async throws {
        try await write { try IdempotencyTable.abandon(key, in: $0) }
    }

    /// What a process before this one left half-way.
    func recover() throws {
        try writeNow { try IdempotencyTable.dropUnfinished(in: $0) }
    }
}
