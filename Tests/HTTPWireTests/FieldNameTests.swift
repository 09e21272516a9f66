// Names we know are known in every case, names that only resemble them are not.

import HTTPWire
import Testing

@Suite struct FieldNameTests {
    static let spellings: [(FieldName, String)] = [
        (.connection, "connection"), (.keepAlive, "keep-alive"), (.te, "te"), (.age, "age"),
        (.proxyConnection, "proxy-connection"), (.proxyAuthenticate, "proxy-authenticate"),
        (.proxyAuthorization, "proxy-authorization"), (.transferEncoding, "transfer-encoding"),
        (.upgrade, "upgrade"), (.host, "host"), (.contentLength, "content-length"),
        (.contentType, "content-type"), (.contentEncoding, "content-encoding"),
        (.contentRange, "content-range"), (.expect, "expect"), (.trailer, "trailer"),
        (.maxForwards, "max-forwards"), (.range, "range"), (.priority, "priority"),
        (.authorization, "authorization"),
        (.cookie, "cookie"), (.forwarded, "forwarded"), (.xRealIP, "x-real-ip"),
        (.xForwardedFor, "x-forwarded-for"), (.xForwardedProto, "x-forwarded-proto"),
        (.xForwardedHost, "x-forwarded-host"), (.xForwardedOther, "x-forwarded-port"),
        (.xRequestID, "x-request-id"), (.traceparent, "traceparent"), (.tracestate, "tracestate"),
        (.xRequestTimeout, "x-request-timeout"),
        (.penstockDeployment, "x-penstock-deployment"), (.penstockRevision, "x-penstock-revision"),
        (.penstockInferenceID, "x-penstock-inference-id"), (.penstockError, "x-penstock-error"),
        (.penstockOther, "x-penstock-tomorrow"), (.cacheControl, "cache-control"), (.date, "date"),
        (.expires, "expires"), (.location, "location"), (.pragma, "pragma"),
        (.retryAfter, "retry-after"), (.server, "server"), (.setCookie, "set-cookie"),
        (.vary, "vary"), (.warning, "warning"), (.wwwAuthenticate, "www-authenticate"),
    ]

    private func known(_ name: String) -> FieldName? {
        var table = FieldTable(capacity: 1)
        let bytes = Array("HTTP/1.1 200 \r\n\(name): 1\r\n\r\n".utf8)
        let span = unsafe bytes.span.bytes
        // The table is filled before a field's meaning can be refused.
        _ = try? ResponseParser().parse(span, fields: &table, requestMethod: .get)
        return table.count == 1 ? table[0].known : nil
    }

    @Test(arguments: spellings) func `a known name is known in any case`(
        name: FieldName, text: String
    ) {
        #expect(known(text) == name)
        #expect(known(text.uppercased()) == name)
        #expect(known(text + "x") != name || name == .xForwardedOther || name == .penstockOther)
    }

    @Test func `every case has a spelling`() {
        let spelled = Set(Self.spellings.map(\.0)).union([.other])
        #expect(spelled == Set(FieldName.allCases))
    }

    @Test(arguments: ["accept", "user-agent", "x", "ho-st", "content-lengt~", "x-forwarded", "T"])
    func `other names are other`(text: String) { #expect(known(text) == .other) }

    @Test func `a mask holds what was put in`() {
        var mask: FieldMask = [.host, .wwwAuthenticate]
        mask.insert(.te)
        let expected: Set<FieldName> = [.host, .te, .wwwAuthenticate]
        #expect(Set(FieldName.allCases.filter(mask.contains)) == expected)
        #expect(mask.union([.age]).contains(.age))
        #expect(FieldName.allCases.count <= 64)
    }

    @Test func `hop-by-hop names are the fixed list`() {
        let expected: [FieldName] = [
            .connection, .keepAlive, .proxyConnection, .proxyAuthenticate, .proxyAuthorization, .te,
            .transferEncoding, .upgrade,
        ]
        #expect(FieldName.allCases.filter(\.isHopByHop) == expected)
    }
}
