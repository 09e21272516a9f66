// The connection preface (RFC 9113 3.4): how a client with prior knowledge shows, on a listener
// that also speaks HTTP/1.1, which of the two it will speak. No HTTP/1.1 request begins so.

package enum HTTP2Preface {
    package enum Verdict: Equatable, Sendable {
        case match, noMatch
        /// Everything so far is the preface's.
        case needMore
    }

    private static var text: StaticString { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }

    /// Looks at the first bytes of a connection, and takes none of them: a session wants them all.
    package static func match(_ bytes: RawSpan) -> Verdict {
        let length = text.utf8CodeUnitCount
        let shown = min(length, bytes.byteCount)
        for index in 0..<shown {
            let expected = unsafe text.utf8Start[index]
            if bytes.byte(index) != expected { return .noMatch }
        }
        return shown == length ? .match : .needMore
    }
}
