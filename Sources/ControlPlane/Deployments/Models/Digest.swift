// SHA-256 as the lower-case hexadecimal text that records, digests and answers carry.

import Crypto

package enum Digest {
    package static func sha256(_ bytes: [UInt8]) -> String {
        text(SHA256.hash(data: bytes))
    }

    static func text(_ digest: SHA256.Digest) -> String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
