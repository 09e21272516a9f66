// The strict request parser (RFC 9112 2-3, 5-6).

package struct RequestParser: Sendable {
    package let limits: WireLimits

    package init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Parses a head at the start of `bytes`; nil while it is incomplete and so far flawless.
    package func parse(
        _ bytes: RawSpan, fields: inout FieldTable
    ) throws(WireError) -> RequestHead? {
        nil
    }
}
