// The head that goes to the replica: the client's fields without those that end here, and the
// gateway's own about where the request comes from and how it is traced.

import HTTPWire
package import Reactor

extension Worker {
    /// The bytes just composed; valid until the next head is.
    var composed: Bytes { unsafe head.withBytes { unsafe Bytes($0) } }

    /// Replaced or dropped, whoever sent them.
    private static let replaced = FieldMask.none.with(
        .host, .xRequestID, .traceparent, .forwarded, .penstockInferenceID, .penstockError,
        .penstockOther)
    /// Believed from trusted peers only.
    private static let forwarding = FieldMask.none.with(
        .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther, .xRealIP)

    /// Writes the request's head into the exchange's replay.
    ///
    /// - Returns: false when it does not fit.
    mutating func compose(
        _ request: RequestHead, in bytes: Bytes, path: Bytes, strip: Int,
        _ exchange: Slot<Exchange>
    ) -> Bool {
        let client = exchange.it.client
        let rules = exchange.it.service.it.rules
        let span = bytes.span
        head.removeAll()
        appendRequestLine(request, bytes, path: path, strip: strip)
        exchange.it.insertsHost = rules.rewritesHost || request.host.isEmpty
        if exchange.it.insertsHost || exchange.it.deadline > 0 {
            exchange.it.insertOffset = head.count
        }
        if !exchange.it.insertsHost {
            head.append("host: ")
            head.append(span, request.host)
            head.appendCRLF()
        }
        if rules.requestNames.count > 0 { dropFields(rules.requestNames, in: bytes) }
        var skipped = Worker.replaced
        if client.it.isTrusted {
            skipped.insert(.xForwardedFor)
        } else {
            skipped = skipped.union(Worker.forwarding)
        }
        if client.it.sentContinue {
            skipped.insert(.expect)
            client.it.sentContinue = false
        }
        HeadWriter.copyFields(fields, of: span, skipping: skipped, into: &head)
        if request.framing == .chunked { head.append("transfer-encoding: chunked\r\n") }
        // The one option of TE that HTTP/2 knows, and gRPC servers ask for (RFC 9113 8.2.2).
        if exchange.it.keepsPayload, exchange.it.isGRPC || acceptsTrailers(bytes) {
            head.append("te: trailers\r\n")
        }
        if exchange.it.wantsUpgrade {
            appendUpgrade(bytes.slice(request.upgrade))
            appendKeyIfMissing(request, in: bytes, of: client)
        }
        appendForwarding(request, bytes, client)
        appendRequestID(request, bytes, exchange)
        appendTrace(request, bytes)
        head.append(rules.requestLines.span)
        head.appendCRLF()
        if head.didOverflow { return false }
        exchange.it.replay.append(composed)
        exchange.it.headCount = head.count
        return true
    }

    private func acceptsTrailers(_ bytes: Bytes) -> Bool {
        let field = fields.first(.te)
        guard field >= 0, !fields.repeated.contains(.te) else { return false }
        return bytes.slice(fields[field].value).isEqualIgnoringCase(to: Bytes("trailers"))
    }

    private mutating func appendRequestLine(
        _ request: RequestHead, _ bytes: Bytes, path: Bytes, strip: Int
    ) {
        head.append(bytes.span, request.methodText)
        head.append(0x20)
        let rest = path.dropping(strip)
        if rest.isEmpty || (rest.first != 0x2F && path.first == 0x2F) { head.append(0x2F) }
        head.append(rest.span)
        if request.hasQuery {
            head.append(0x3F)
            head.append(bytes.span, request.query)
        }
        head.append(" HTTP/1.1\r\n")
    }

    /// Marks fields that the plan sets or removes, so that they are not copied.
    mutating func dropFields(_ names: Block<Bytes>, in bytes: Bytes) {
        for index in 0..<fields.count {
            let name = bytes.slice(fields[index].name)
            for place in 0..<names.count where name.isEqualIgnoringCase(to: names[place].it) {
                fields[index].isHopByHop = true
            }
        }
    }

    private mutating func appendForwarding(
        _ request: RequestHead, _ bytes: Bytes, _ client: Slot<ClientConnection>
    ) {
        let isTrusted = client.it.isTrusted
        head.append("x-forwarded-for: ")
        if isTrusted {
            for index in 0..<fields.count where fields[index].known == .xForwardedFor {
                if fields[index].isAlias || fields[index].value.isEmpty { continue }
                head.append(bytes.span, fields[index].value)
                head.append(", ")
            }
        }
        if client.it.peer.isUnix {
            head.append("unix:")
        } else {
            unsafe head.appendRaw { unsafe client.it.peer.write(into: $0) }
        }
        head.appendCRLF()
        if !isTrusted || fields.first(.xForwardedProto) < 0 {
            if client.it.isSecure {
                head.append("x-forwarded-proto: https\r\n")
            } else {
                head.append("x-forwarded-proto: http\r\n")
            }
        }
        if client.it.hasCertificate { appendSubject(client) }
        if !request.host.isEmpty, !isTrusted || fields.first(.xForwardedHost) < 0 {
            head.append("x-forwarded-host: ")
            head.append(bytes.span, request.host)
            head.appendCRLF()
        }
    }

    /// Keeps the client's request id if it is one, else makes one.
    private mutating func appendRequestID(
        _ request: RequestHead, _ bytes: Bytes, _ exchange: Slot<Exchange>
    ) {
        head.append("x-request-id: ")
        let start = head.count
        if request.requestIDField >= 0 {
            let value = fields[Int(request.requestIDField)].value
            if Int(value.count) <= Limits.requestIDBytes { head.append(bytes.span, value) }
        }
        if head.count == start {
            head.appendFullHex(random.next())
            head.appendFullHex(random.next())
        }
        exchange.it.requestID = Slice(from: start, to: head.count)
        head.appendCRLF()
    }

    /// Keeps a well-formed traceparent (W3C Trace Context, version 00), else begins a trace.
    private mutating func appendTrace(_ request: RequestHead, _ bytes: Bytes) {
        head.append("traceparent: ")
        if request.traceparentField >= 0 {
            let value = fields[Int(request.traceparentField)].value
            if !fields.repeated.contains(.traceparent), TraceParent.isValid(bytes.slice(value)) {
                head.append(bytes.span, value)
                return head.appendCRLF()
            }
        }
        head.append("00-")
        head.appendFullHex(random.next() | 1)
        head.appendFullHex(random.next())
        head.append("-")
        head.appendFullHex(random.next() | 1)
        head.append("-01\r\n")
    }
}

/// `version-traceid-parentid-flags`, lower-case hexadecimal (W3C Trace Context 3.2).
package enum TraceParent {
    package static func isValid(_ bytes: Bytes) -> Bool {
        let span = bytes.span
        // Later versions may be longer; they begin with the same fields.
        guard span.byteCount >= 55, span.byteCount <= 256 else { return false }
        let isFirst = span.byte(0) == 0x30 && span.byte(1) == 0x30
        if isFirst && span.byteCount != 55 { return false }
        var digits: (trace: Bool, parent: Bool) = (false, false)
        for index in 0..<55 {
            let byte = span.byte(index)
            if index == 2 || index == 35 || index == 52 {
                guard byte == 0x2D else { return false }
                continue
            }
            let isDigit = byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66
            guard isDigit else { return false }
            if byte != 0x30 {
                if index > 2 && index < 35 { digits.trace = true }
                if index > 35 && index < 52 { digits.parent = true }
            }
        }
        let isForbidden = span.byte(0) == 0x66 && span.byte(1) == 0x66
        return digits.trace && digits.parent && !isForbidden
    }
}

extension FieldMask {
    func with(_ names: FieldName...) -> FieldMask {
        names.reduce(self) { $0.union(FieldMask($1)) }
    }
}

extension Bytes {
    var first: UInt8 { isEmpty ? 0 : span.byte(0) }

    /// `other` is lower case.
    package func isEqualIgnoringCase(to other: Bytes) -> Bool {
        guard count == other.count else { return false }
        let left = span
        let right = other.span
        for index in 0..<count {
            let byte = left.byte(index)
            let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
            if folded != right.byte(index) { return false }
        }
        return true
    }

    func isEqual(to other: Bytes) -> Bool {
        guard count == other.count else { return false }
        let left = span
        let right = other.span
        for index in 0..<count where left.byte(index) != right.byte(index) { return false }
        return true
    }
}
