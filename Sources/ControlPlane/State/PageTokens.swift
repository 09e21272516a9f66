// Where the next page of a list begins, as a word that clients can only give back: signed, and good
// for the query it was issued for alone. Nothing is kept for it; it never expires.

import Crypto
import Foundation

struct PageTokens: Sendable {
    struct Position: Sendable, Equatable {
        /// Of the moment of the first page.
        var sequence: UInt64
        /// The last item of the page before: its name, id or number.
        var after: String
    }

    private let key: SymmetricKey

    init(key: [UInt8]) {
        self.key = SymmetricKey(data: key)
    }

    /// - Parameter query: everything that decides which items there are, and their order.
    func token(_ position: Position, of query: [String]) -> String {
        let payload = Data(position.sequence.bigEndianBytes) + Data(position.after.utf8)
        let text = (tag(payload, query) + payload).base64EncodedString()
        return text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil for no token.
    ///
    /// - Throws: `StateError.badPageToken` when it is not one of ours for this query.
    func position(_ token: String?, of query: [String]) throws -> Position? {
        guard let token, !token.isEmpty else { return nil }
        guard token.utf8.count <= 4 * StateLimits.nameBytes, let data = Self.decoded(token),
            data.count > Self.tagBytes + 8
        else { throw StateError.badPageToken }
        let payload = Data(data.dropFirst(Self.tagBytes))
        guard ConstantTime.areEqual(tag(payload, query), data.prefix(Self.tagBytes)) else {
            throw StateError.badPageToken
        }
        let sequence = payload.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Position(
            sequence: sequence, after: String(decoding: payload.dropFirst(8), as: UTF8.self))
    }

    private func tag(_ payload: Data, _ query: [String]) -> Data {
        var hash = HMAC<SHA256>(key: key)
        for part in query {
            hash.update(data: Data(UInt64(part.utf8.count).bigEndianBytes))
            hash.update(data: Data(part.utf8))
        }
        hash.update(data: payload)
        return Data(hash.finalize().prefix(Self.tagBytes))
    }

    private static func decoded(_ token: String) -> Data? {
        let text = token.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding)
    }

    private static let tagBytes = 16
}

extension UInt64 {
    var bigEndianBytes: [UInt8] {
        (0..<8).reversed().map { UInt8(truncatingIfNeeded: self >> (8 * UInt64($0))) }
    }
}
