// Request methods: the ones whose meaning changes what a gateway may do. The spelling is case
// sensitive (RFC 9110 9.1); `get` is some other method.

package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, patch, options, other

    /// RFC 9110 9.2.1: asks for nothing to change.
    package var isSafe: Bool { self == .get || self == .head || self == .options }

    /// RFC 9110 9.2.2: doing it twice is doing it once.
    package var isIdempotent: Bool { isSafe || self == .put || self == .delete }
}
