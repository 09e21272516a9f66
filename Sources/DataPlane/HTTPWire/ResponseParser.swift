// The strict response parser (RFC 9112 4-6).

package struct ResponseParser: Sendable {
    package let limits: WireLimits

    package init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Parses a head at the start of `bytes`; nil while it is incomplete and so far flawless.
    package func parse(
        _ bytes: RawSpan, fields: inout FieldTable, requestMethod: Method
    ) throws(WireError) -> ResponseHead? {
        nil
    }
}
