// Leases of the store. One gateway over SQLite needs none; several over a shared store do.

package import Foundation
import GRDB

extension Store {
    package func acquireLease(
        _ name: String, holder: String, lasting: Duration, now: Date
    ) async throws -> Lease {
        try Bounds.text(name, "lease", 1...StateLimits.nameBytes)
        try Bounds.text(holder, "holder", 1...StateLimits.actorBytes)
        let until = now.addingTimeInterval(lasting / .seconds(1))
        return try await write {
            try LeaseTable.acquire(name, holder: holder, until: until, now: now, in: $0)
        }
    }

    package func releaseLease(_ lease: Lease) async throws {
        try await write { try LeaseTable.release(lease, in: $0) }
    }
}
