// Tokens in the manner of GitHub's: a prefix that secret scanners find, one word for double
// clicks, and a checksum, so that a mistyped or cut token is known as such without a look-up.

import Crypto
import Foundation

/// `pst_`, a letter for the kind, 30 random base-62 characters, 6 of checksum.
package struct AdminToken: Sendable, Equatable {
    package let text: String

    /// Makes a new one; 30 characters of base 62 are 178 bits.
    package static func make(using generator: inout some RandomNumberGenerator) -> AdminToken {
        var body = prefix
        for _ in 0..<randomCount {
            body.append(digits[Int.random(in: 0..<digits.count, using: &generator)])
        }
        return AdminToken(text: String(decoding: body + checksum(of: body), as: UTF8.self))
    }

    /// Nil when the form or the checksum is wrong.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.prefix.count + Self.randomCount + Self.checksumCount,
            bytes.starts(with: Self.prefix)
        else { return nil }
        let body = bytes.dropLast(Self.checksumCount)
        guard Self.checksum(of: Array(body)) == Array(bytes.suffix(Self.checksumCount)) else {
            return nil
        }
        self.text = text
    }

    /// What is stored of it.
    var digest: [UInt8] { [UInt8](SHA256.hash(data: Data(text.utf8))) }

    private init(text: String) {
        self.text = text
    }

    private static let prefix = Array("pst_a".utf8)
    private static let randomCount = 30
    private static let checksumCount = 6
    private static let digits = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// CRC-32 (IEEE 802.3) in base 62, most significant digit first.
    private static func checksum(of bytes: [UInt8]) -> [UInt8] {
        var register: UInt32 = .max
        for byte in bytes {
            register ^= UInt32(byte)
            for _ in 0..<8 {
                register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1
            }
        }
        var rest = ~register
        var encoded: [UInt8] = []
        for _ in 0..<checksumCount {
            encoded.append(digits[Int(rest % 62)])
            rest /= 62
        }
        return encoded.reversed()
    }
}
