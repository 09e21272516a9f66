// A signed note of how far the audit log reached. A chain alone cannot show that its end was cut
// off, or that the whole was replaced; a checkpoint kept elsewhere can. The key is in the state
// directory, so a copy outside is what makes it proof against whoever has the directory.

import Crypto
package import Foundation

package struct AuditCheckpoint: Sendable, Equatable, Codable {
    /// The entry that the oldest kept one follows, and the newest one, each with its hash.
    package var baseID: UInt64
    package var baseHash: String
    package var lastID: UInt64
    package var lastHash: String
    package var at: Date
    /// Ed25519, in hexadecimal.
    package var publicKey: String
    package var signature: String

    private enum CodingKeys: String, CodingKey {
        case at, signature
        case baseID = "base_id"
        case baseHash = "base_hash"
        case lastID = "last_id"
        case lastHash = "last_hash"
        case publicKey = "public_key"
    }

    /// Whether the key it names has signed it.
    package var isGenuine: Bool {
        guard let key = Hexadecimal.bytes(publicKey), let signature = Hexadecimal.bytes(signature)
        else { return false }
        // A key of the wrong length is no key; then nothing is genuine.
        guard let verifier = try? Curve25519.Signing.PublicKey(rawRepresentation: key) else {
            return false
        }
        return verifier.isValidSignature(signature, for: statement)
    }

    /// What is signed.
    private var statement: Data {
        let lines = [
            "penstock audit checkpoint 1", "\(baseID)", baseHash, "\(lastID)", lastHash,
            Moment.text(at),
        ]
        return Data(lines.joined(separator: "\n").utf8)
    }

    static func signed(
        base: (id: Int64, hash: [UInt8]), last: (id: Int64, hash: [UInt8]), at: Date,
        with key: AuditKey
    ) throws -> AuditCheckpoint {
        var checkpoint = AuditCheckpoint(
            baseID: UInt64(base.id), baseHash: Hexadecimal.text(base.hash),
            lastID: UInt64(last.id), lastHash: Hexadecimal.text(last.hash),
            at: Moment.rounded(at), publicKey: key.publicText, signature: "")
        checkpoint.signature = Hexadecimal.text(try key.signature(of: checkpoint.statement))
        return checkpoint
    }
}

/// Signs checkpoints; lives in `audit.key`.
struct AuditKey: Sendable {
    private let key: Curve25519.Signing.PrivateKey

    init(bytes: [UInt8]) throws {
        key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    }

    static func make() -> [UInt8] {
        [UInt8](Curve25519.Signing.PrivateKey().rawRepresentation)
    }

    var publicText: String { Hexadecimal.text(key.publicKey.rawRepresentation) }

    func signature(of data: Data) throws -> Data { try key.signature(for: data) }
}
