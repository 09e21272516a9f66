// The strict response parser (RFC 9110, RFC 9112). A replica is no more trusted than a client: what
// can be read in two ways is refused, because the reader behind us might choose the other.

package struct ResponseParser: Sendable {
    package let limits: WireLimits

    package init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Parses a head at the start of `bytes`; nil while it is incomplete and so far flawless.
    package func parse(
        _ bytes: RawSpan, fields: inout FieldTable, requestMethod: Method
    ) throws(WireError) -> ResponseHead? {
        fields.removeAll()
        let isClipped = bytes.byteCount >= limits.headBytes
        let bytes = isClipped ? bytes.extracting(first: limits.headBytes) : bytes
        var head = ResponseHead()
        guard let start = try StatusLine.read(bytes, into: &head) else {
            if isClipped { throw .headTooLarge }
            return nil
        }
        let end = try FieldLines.read(bytes, from: start, into: &fields, limit: limits.headers)
        guard let end else {
            if isClipped { throw .headTooLarge }
            return nil
        }
        head.byteCount = end
        try readFraming(bytes, &fields, into: &head, requestMethod: requestMethod)
        try readConnection(bytes, &fields, into: &head)
        let type = fields.first(.contentType)
        if type >= 0, !fields.repeated.contains(.contentType) {
            head.contentTypeIsEventStream =
                bytes.isMediaType(fields[type].value, "text/event-stream")
        }
        return head
    }

    /// RFC 9112 6.3. HEAD and 304 may describe a body they do not have; 1xx and 204 may not.
    private func readFraming(
        _ bytes: RawSpan, _ fields: inout FieldTable, into head: inout ResponseHead,
        requestMethod: Method
    ) throws(WireError) {
        let announced = try BodyFraming.announced(
            by: fields, of: bytes, minorVersion: head.minorVersion)
        if head.status < 200 || head.status == 204 {
            guard announced == nil || announced == .length(0) else { throw .unexpectedFraming }
            // Servers do send Content-Length: 0 here; RFC 9110 8.6 forbids to pass it on.
            let index = fields.first(.contentLength)
            if index >= 0 { fields[index].isHopByHop = true }
        } else if head.status != 304, requestMethod != .head {
            head.framing = announced ?? .untilClose
        }
    }

    /// RFC 9112 9.3.
    private func readConnection(
        _ bytes: RawSpan, _ fields: inout FieldTable, into head: inout ResponseHead
    ) throws(WireError) {
        let options = try ConnectionOptions(bytes, fields: &fields)
        head.keepsAlive =
            !options.closes && (head.minorVersion == 1 || options.keepsAlive)
            && head.framing != .untilClose && head.status != 101
        let index = fields.first(.keepAlive)
        if index >= 0 { head.keepAliveTimeoutSeconds = timeout(bytes, fields[index].value) }
    }

    /// The number of `timeout=5, max=100`; -1 for anything that is not so. A hint, never an error.
    private func timeout(_ bytes: RawSpan, _ value: Slice) -> Int {
        var position = value.start
        while position &+ 8 < value.end {
            if bytes.spells("timeout=", at: position) { break }
            guard let comma = bytes.firstIndex(of: 0x2C, from: position, to: value.end)
            else { return -1 }
            position = comma &+ 1
            while position < value.end, ByteClass.isSpace(bytes.byte(position)) { position &+= 1 }
        }
        position &+= 8
        guard position < value.end, ByteClass.isDigit(bytes.byte(position)) else { return -1 }
        var seconds = 0
        while position < value.end, ByteClass.isDigit(bytes.byte(position)) {
            seconds = min(seconds &* 10 &+ Int(bytes.byte(position) &- 0x30), 1_000_000)
            position &+= 1
        }
        return seconds
    }
}
