// What is spoken inside a session, and how ALPN lists it: each name behind its length.

/// The application protocol that both sides agreed on. Without ALPN it is HTTP/1.1.
package enum TLSProtocol: UInt8, Sendable {
    case http1
    case http2

    /// The protocols in the order of preference, as they go over the wire.
    static func list(withHTTP2: Bool, withHTTP1: Bool) -> StaticString {
        if withHTTP2 { return withHTTP1 ? "\u{2}h2\u{8}http/1.1" : "\u{2}h2" }
        return "\u{8}http/1.1"
    }
}

package enum TLSVersion: UInt8, Sendable {
    case tls12
    case tls13
}
