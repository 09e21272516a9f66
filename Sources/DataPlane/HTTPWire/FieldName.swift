// The header names a gateway has to know by heart, each a number below 64 so that a set of them is
// one word. Every other name is `other`: carried through, never interpreted.

package enum FieldName: UInt8, CaseIterable, Sendable {
    case other

    // The connection's own: never forwarded.
    case connection, keepAlive, proxyConnection, proxyAuthenticate, proxyAuthorization
    case te, transferEncoding, upgrade

    // Framing, routing and payload description.
    case host, contentLength, contentType, contentEncoding, contentRange, expect, trailer
    case maxForwards, range, priority

    // Who asks, for whom, and through whom.
    case authorization, cookie, forwarded, xRealIP
    case xForwardedFor, xForwardedProto, xForwardedHost, xForwardedOther
    case xRequestID, xRequestTimeout, traceparent, tracestate
    case penstockDeployment, penstockRevision, penstockInferenceID, penstockError, penstockOther

    // Control data of answers.
    case age, cacheControl, date, expires, location, pragma, retryAfter, server, setCookie
    case vary, warning, wwwAuthenticate

    /// RFC 9110 7.6.1, and the two proxy credentials: a gateway is the far end of both.
    /// `Trailer` is not among them, because trailers are forwarded.
    package var isHopByHop: Bool { FieldMask.hopByHop.contains(self) }
}

/// A set of field names in one word.
package struct FieldMask: Equatable, Sendable, ExpressibleByArrayLiteral {
    package var bits: UInt64

    package init(bits: UInt64) { self.bits = bits }
    package init(_ name: FieldName) { bits = 1 &<< UInt64(name.rawValue) }

    /// For tables made once; on a hot path keep the mask, do not spell it again.
    package init(arrayLiteral names: FieldName...) {
        bits = names.reduce(0) { $0 | FieldMask($1).bits }
    }

    package func contains(_ name: FieldName) -> Bool {
        (bits &>> UInt64(name.rawValue)) & 1 != 0
    }

    package func union(_ other: FieldMask) -> FieldMask { FieldMask(bits: bits | other.bits) }

    package mutating func insert(_ name: FieldName) { bits |= FieldMask(name).bits }

    package static var none: FieldMask { FieldMask(bits: 0) }

    /// The contiguous run of cases from `connection` to `upgrade`.
    package static var hopByHop: FieldMask {
        let last = UInt64(FieldName.upgrade.rawValue)
        return FieldMask(bits: ((1 &<< (last &+ 1)) &- 1) & ~1)
    }
}
