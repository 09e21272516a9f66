// What one message may cost, and the sum behind each number. Those an operator can set are defaults
// here; the others are ceilings that hold whatever is configured.

package enum Limits {
    /// Default for a whole head, request line to empty line. Browsers stop at 4 KiB a cookie and
    /// some 50 of them; single-sign-on tokens reach 16 KiB. 64 KiB holds both.
    package static let headBytes = 65_536

    /// Default for fields in one head. Browsers send 15 to 25, a chain of proxies adds ten.
    package static let headers = 128

    /// Ceiling for `headers`: 1,024 fields × 28 bytes are 28 KiB of table per loop.
    package static let headersMax = 1_024

    /// RFC 9112 3 asks for 8,000 octets at least; links with signed parameters reach 8 KiB.
    package static let targetBytes = 16_384

    /// The longest registered method, `UPDATEREDIRECTREF`, has 17 letters.
    package static let methodBytes = 24

    /// A DNS name has at most 253 bytes, a port adds six: nothing longer can be looked up.
    package static let hostBytes = 260

    /// Each option is compared with every field: 32 × 1,024 short comparisons stay below 50 µs.
    package static let connectionOptions = 32

    /// Bodies end below 2⁶³ bytes, so that sums of two never overflow.
    package static let bodyBytes = UInt64(Int64.max)

    /// Sixteen hexadecimal digits carry 64 bits; leading zeros count too.
    package static let chunkSizeDigits = 16

    /// What chunk lines may cost beyond 16 bytes a chunk plus twice its payload. A signed upload
    /// spends 85 bytes a chunk of 64 KiB; one-byte chunks with long extensions run out at once.
    package static let chunkOverheadBytes = 16_384

    /// Trailers wait in memory until they are complete: checksums and a gRPC status fit 40 times.
    package static let trailerBytes = 8_192

    /// Fields in one trailer section.
    package static let trailers = 32
}

/// What an operator may set.
package struct WireLimits: Equatable, Sendable {
    package var headBytes: Int
    package var headers: Int

    package init(headBytes: Int = Limits.headBytes, headers: Int = Limits.headers) {
        self.headBytes = headBytes
        self.headers = headers
    }
}
