// Secrets at rest: sealed with a key that lies beside the database in a file of this user's own,
// and never in a backup. Who has a copy of the database alone has nothing.

import Crypto
import Foundation

extension Store {
    /// AES-256-GCM (NIST SP 800-38D) with a fresh nonce.
    ///
    /// - Parameter context: where it will lie; it opens nowhere else.
    package func seal(_ text: String, for context: String) throws -> String {
        let box = try AES.GCM.seal(
            Data(text.utf8), using: try secretsKey(), authenticating: Data(context.utf8))
        guard let combined = box.combined else {
            preconditionFailure("a nonce of 12 bytes gives a combined form")
        }
        return combined.base64EncodedString()
    }

    /// - Throws: `StateError.sealed` when it was sealed with another key, or for another context.
    package func open(_ sealed: String, for context: String) throws -> String {
        let key = try secretsKey()
        do {
            let box = try AES.GCM.SealedBox(combined: Data(base64Encoded: sealed) ?? Data())
            let data = try AES.GCM.open(box, using: key, authenticating: Data(context.utf8))
            return String(decoding: data, as: UTF8.self)
        } catch {
            throw StateError.sealed(what: context)
        }
    }

    /// Tells equal secrets apart from different ones, and nothing else to who lacks the key:
    /// the first 8 bytes of an HMAC-SHA256, in hexadecimal.
    package func fingerprint(_ text: String) throws -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: try secretsKey())
        return Hexadecimal.text(code.prefix(8))
    }

    private func secretsKey() throws -> SymmetricKey {
        SymmetricKey(data: try SecretFile.secretsKey(in: directory))
    }
}
