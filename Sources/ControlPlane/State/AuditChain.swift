// The chain: each entry's hash covers its every field and the hash before, so changing, dropping or
// inserting one breaks all that follow. Fields go in with their lengths; no two entries have the
// same bytes.

import Crypto
import Foundation

enum AuditChain {
    static let hashBytes = 32
    /// What the first entry has for the hash before it.
    static let beginning = [UInt8](repeating: 0, count: hashBytes)

    /// An entry as it is stored.
    struct Link: Sendable {
        var id: Int64
        var at: Int64
        var actor: String
        var action: String
        var kind: String
        var name: String
        var before: String
        var after: String
        var requestID: String
        /// JSON, as stored; never encoded again, or another encoder would break the chain.
        var detail: String
        var previousHash: [UInt8]
        var hash: [UInt8]

        var computedHash: [UInt8] {
            var digest = SHA256()
            digest.update(data: Data("penstock audit 1\n".utf8))
            for number in [id, at] {
                digest.update(data: Data(UInt64(bitPattern: number).bigEndianBytes))
            }
            let fields = [actor, action, kind, name, before, after, requestID, detail]
            for field in fields {
                digest.update(data: Data(UInt64(field.utf8.count).bigEndianBytes))
                digest.update(data: Data(field.utf8))
            }
            digest.update(data: Data(previousHash))
            return [UInt8](digest.finalize())
        }
    }

    /// Walks entries in order; knows the first that is wrong.
    struct Walk {
        private(set) var checked: UInt64 = 0
        private(set) var lastID: Int64
        private(set) var lastHash: [UInt8]
        private(set) var fault: (id: Int64, reason: String)?

        /// - Parameter id: of the entry before the first.
        init(after id: Int64, hash: [UInt8]) {
            lastID = id
            lastHash = hash
        }

        /// False at the first fault; nothing after it means anything.
        mutating func take(_ link: Link) -> Bool {
            if link.id != lastID + 1 {
                fault = (lastID + 1, "the entry is missing; the next one is \(link.id)")
            } else if link.previousHash != lastHash {
                fault = (link.id, "it does not follow the entry before it")
            } else if link.hash != link.computedHash {
                fault = (link.id, "it was changed after it was written")
            }
            if fault != nil { return false }
            checked += 1
            lastID = link.id
            lastHash = link.hash
            return true
        }
    }
}
