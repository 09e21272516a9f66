// How long a body is, decided once from the head (RFC 9112 6.3).

package enum BodyFraming: Equatable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends where the connection does.
    case untilClose
}
