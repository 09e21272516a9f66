// How large the state is and how it is kept, for whoever asks the system how it is.

import Foundation
import GRDB

package struct StoreReport: Sendable, Equatable, Codable {
    package var databaseBytes: Int64
    package var logBytes: Int64
    /// In pages that are empty and go back to the file system little by little.
    package var freeBytes: Int64
    package var limitBytes: Int64
    package var schema: String
    package var sequence: UInt64
    /// The oldest change that a watch can begin after.
    package var oldestSequence: UInt64
    /// Live ones by kind.
    package var documents: [String: Int]
    package var auditEntries: UInt64
    /// Why changes are refused; nil while they are taken.
    package var readOnlyReason: String?

    private enum CodingKeys: String, CodingKey {
        case schema, sequence, documents
        case databaseBytes = "database_bytes"
        case logBytes = "log_bytes"
        case freeBytes = "free_bytes"
        case limitBytes = "limit_bytes"
        case oldestSequence = "oldest_sequence"
        case auditEntries = "audit_entries"
        case readOnlyReason = "read_only_reason"
    }
}

extension Store {
    package func report() async throws -> StoreReport {
        let (logBytes, limit, reason) = (walBytes, databaseBytes, readOnlyReason)
        return try await read { connection in
            func pragma(_ name: String) throws -> Int64 {
                try Int64.fetchOne(connection, sql: "PRAGMA \(name)") ?? 0
            }
            let counts = try Row.fetchAll(
                connection, sql: "SELECT kind, live FROM document_count WHERE live > 0")
            let page = try pragma("page_size")
            let (last, _) = try AuditTable.last(in: connection)
            let (base, _) = try AuditTable.base(in: connection)
            return StoreReport(
                databaseBytes: page * (try pragma("page_count")), logBytes: logBytes,
                freeBytes: page * (try pragma("freelist_count")), limitBytes: limit,
                schema: Store.migrator().migrations.last ?? "",
                sequence: UInt64(bitPattern: try Counters.value(.sequence, in: connection)),
                oldestSequence: UInt64(
                    bitPattern: try Counters.value(.compacted, in: connection)),
                documents: Dictionary(
                    counts.map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first }),
                auditEntries: UInt64(last - base), readOnlyReason: reason)
        }
    }
}
