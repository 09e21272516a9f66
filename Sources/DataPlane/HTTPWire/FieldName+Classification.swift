// From a name's bytes to its number: by length first, then whole words. The literals become
// constants in the instructions, so an unknown name costs a few compares.

extension FieldName {
    /// `name` must be a token.
    @inline(__always)
    static func classify(_ bytes: RawSpan, _ name: Slice) -> FieldName {
        let count = Int(name.count)
        return count < 12
            ? classifyShort(bytes, name.start, count) : classifyLong(bytes, name.start, count)
    }

    @inline(__always)
    private static func classifyShort(_ bytes: RawSpan, _ at: Int, _ count: Int) -> FieldName {
        switch count {
        case 2:
            if bytes.spells("te", at: at) { return .te }
        case 3:
            if bytes.spells("age", at: at) { return .age }
        case 4:
            if bytes.spells("host", at: at) { return .host }
            if bytes.spells("date", at: at) { return .date }
            if bytes.spells("vary", at: at) { return .vary }
        case 5:
            if bytes.spells("range", at: at) { return .range }
        case 6:
            if bytes.spells("cookie", at: at) { return .cookie }
            if bytes.spells("server", at: at) { return .server }
            if bytes.spells("expect", at: at) { return .expect }
            if bytes.spells("pragma", at: at) { return .pragma }
        case 7:
            if bytes.spells("upgrade", at: at) { return .upgrade }
            if bytes.spells("trailer", at: at) { return .trailer }
            if bytes.spells("expires", at: at) { return .expires }
            if bytes.spells("warning", at: at) { return .warning }
        case 8:
            if bytes.spells("location", at: at) { return .location }
            if bytes.spells("priority", at: at) { return .priority }
        case 9:
            if bytes.spells("forwarded", at: at) { return .forwarded }
            if bytes.spells("x-real-ip", at: at) { return .xRealIP }
        case 10:
            if bytes.spells("connection", at: at) { return .connection }
            if bytes.spells("set-cookie", at: at) { return .setCookie }
            if bytes.spells("keep-alive", at: at) { return .keepAlive }
            if bytes.spells("tracestate", at: at) { return .tracestate }
        case 11:
            if bytes.spells("traceparent", at: at) { return .traceparent }
            if bytes.spells("retry-after", at: at) { return .retryAfter }
        default: break
        }
        return .other
    }

    @inline(__always)
    private static func classifyLong(_ bytes: RawSpan, _ at: Int, _ count: Int) -> FieldName {
        switch count {
        case 12:
            if bytes.spells("content-type", at: at) { return .contentType }
            if bytes.spells("x-request-id", at: at) { return .xRequestID }
            if bytes.spells("max-forwards", at: at) { return .maxForwards }
        case 13:
            if bytes.spells("cache-control", at: at) { return .cacheControl }
            if bytes.spells("authorization", at: at) { return .authorization }
            if bytes.spells("content-range", at: at) { return .contentRange }
        case 14:
            if bytes.spells("content-length", at: at) { return .contentLength }
        case 16:
            if bytes.spells("content-encoding", at: at) { return .contentEncoding }
            if bytes.spells("proxy-connection", at: at) { return .proxyConnection }
            if bytes.spells("www-authenticate", at: at) { return .wwwAuthenticate }
        case 17:
            if bytes.spells("transfer-encoding", at: at) { return .transferEncoding }
            if bytes.spells("x-request-timeout", at: at) { return .xRequestTimeout }
        case 18:
            if bytes.spells("proxy-authenticate", at: at) { return .proxyAuthenticate }
        case 19:
            if bytes.spells("proxy-authorization", at: at) { return .proxyAuthorization }
        default: break
        }
        // Every remaining name we know begins with x-.
        return bytes.byte(at) | 0x20 == 0x78 ? classifyExtension(bytes, at, count) : .other
    }

    @inline(never)
    private static func classifyExtension(_ bytes: RawSpan, _ at: Int, _ count: Int) -> FieldName {
        if bytes.spells("x-penstock-", at: at) {
            switch count {
            case 16: if bytes.spells("x-penstock-error", at: at) { return .penstockError }
            case 19: if bytes.spells("x-penstock-revision", at: at) { return .penstockRevision }
            case 21:
                if bytes.spells("x-penstock-deployment", at: at) { return .penstockDeployment }
            case 23:
                if bytes.spells("x-penstock-inference-id", at: at) { return .penstockInferenceID }
            default: break
            }
            return .penstockOther
        }
        guard bytes.spells("x-forwarded-", at: at) else { return .other }
        switch count {
        case 15: if bytes.spells("x-forwarded-for", at: at) { return .xForwardedFor }
        case 16: if bytes.spells("x-forwarded-host", at: at) { return .xForwardedHost }
        case 17: if bytes.spells("x-forwarded-proto", at: at) { return .xForwardedProto }
        default: break
        }
        return .xForwardedOther
    }

    /// Whether a name with an underscore is a known one once `_` is read as `-`. Rare, so it
    /// copies.
    @inline(never)
    static func isAlias(_ bytes: RawSpan, _ name: Slice) -> Bool {
        let count = min(Int(name.count), aliasBytes)
        var spelling = InlineArray<32, UInt8>(repeating: 0)
        for index in 0..<count {
            let byte = bytes.byte(name.start &+ index)
            spelling[index] = byte == 0x5F ? 0x2D : byte
        }
        let text = unsafe spelling.span.bytes
        return classify(text, Slice(from: 0, to: count)) != .other
    }

    /// Longer than every known name, so that cutting a longer one there makes no known name of it.
    private static var aliasBytes: Int { 32 }
}
