// The strict request parser (RFC 9110, RFC 9112): a head is either understood in exactly one way or
// refused. There are no switches to make it lenient. It allocates nothing and keeps nothing between
// calls: offered half a head it says so, and is offered all of it again later.

package struct RequestParser: Sendable {
    package let limits: WireLimits

    package init(limits: WireLimits = WireLimits()) { self.limits = limits }

    /// Parses a head at the start of `bytes`; nil while it is incomplete and so far flawless.
    package func parse(
        _ bytes: RawSpan, fields: inout FieldTable
    ) throws(WireError) -> RequestHead? {
        fields.removeAll()
        let isClipped = bytes.byteCount >= limits.headBytes
        let bytes = isClipped ? bytes.extracting(first: limits.headBytes) : bytes
        var head = RequestHead()
        guard let start = try RequestLine.read(bytes, into: &head) else {
            if isClipped { throw .targetTooLong }
            return nil
        }
        let end = try FieldLines.read(bytes, from: start, into: &fields, limit: limits.headers)
        guard let end else {
            if isClipped { throw .headTooLarge }
            return nil
        }
        head.byteCount = end
        try readHost(bytes, fields, into: &head)
        head.framing =
            try BodyFraming.announced(by: fields, of: bytes, minorVersion: head.minorVersion)
            ?? .none
        try readConnection(bytes, &fields, into: &head)
        try readExpectation(bytes, &fields, into: &head)
        noteFields(bytes, fields, into: &head)
        return head
    }

    /// RFC 9112 3.2: exactly one in HTTP/1.1, and valid even where the target takes its place.
    private func readHost(
        _ bytes: RawSpan, _ fields: borrowing FieldTable, into head: inout RequestHead
    ) throws(WireError) {
        let index = fields.first(.host)
        guard index >= 0 else {
            if head.minorVersion == 0 { return }
            throw .missingHost
        }
        guard !fields.repeated.contains(.host) else { throw .repeatedHost }
        let value = fields[index].value
        guard HostName.isValid(bytes, value) else { throw .badHost }
        if !head.isAbsoluteForm { head.host = value }
    }

    /// RFC 9112 9.3, and 9110 7.8: an upgrade counts only if `Connection` names it too.
    private func readConnection(
        _ bytes: RawSpan, _ fields: inout FieldTable, into head: inout RequestHead
    ) throws(WireError) {
        let options = try ConnectionOptions(bytes, fields: &fields)
        head.keepsAlive = !options.closes && (head.minorVersion == 1 || options.keepsAlive)
        guard options.upgrades, head.minorVersion == 1 else { return }
        let index = fields.first(.upgrade)
        guard index >= 0, !fields.repeated.contains(.upgrade) else { return }
        head.upgrade = fields[index].value
    }

    /// RFC 9110 10.1.1: ignored in HTTP/1.0, and pointless without a body. An ignored one goes no
    /// further either, since the request goes on as HTTP/1.1.
    private func readExpectation(
        _ bytes: RawSpan, _ fields: inout FieldTable, into head: inout RequestHead
    ) throws(WireError) {
        let index = fields.first(.expect)
        guard index >= 0 else { return }
        guard head.minorVersion == 1 else {
            for other in index..<fields.count where fields[other].known == .expect {
                fields[other].isHopByHop = true
            }
            return
        }
        guard !fields.repeated.contains(.expect), bytes.equals(fields[index].value, "100-continue")
        else { throw .expectationFailed }
        head.expectsContinue = head.framing != .none && head.framing != .length(0)
    }

    private func noteFields(
        _ bytes: RawSpan, _ fields: borrowing FieldTable, into head: inout RequestHead
    ) {
        head.hostField = Int16(truncatingIfNeeded: fields.first(.host))
        head.requestIDField = Int16(truncatingIfNeeded: fields.first(.xRequestID))
        head.traceparentField = Int16(truncatingIfNeeded: fields.first(.traceparent))
        head.forwardedForField = Int16(truncatingIfNeeded: fields.first(.xForwardedFor))
        head.cookieField = Int16(truncatingIfNeeded: fields.first(.cookie))
        head.deploymentField = Int16(truncatingIfNeeded: fields.first(.penstockDeployment))
        head.revisionField = Int16(truncatingIfNeeded: fields.first(.penstockRevision))
        let type = fields.first(.contentType)
        if type >= 0, !fields.repeated.contains(.contentType) {
            head.contentTypeIsJSON = bytes.isMediaType(fields[type].value, "application/json")
            head.contentTypeIsGRPC =
                bytes.isMediaType(fields[type].value, "application/grpc")
                || bytes.begins(fields[type].value, "application/grpc+")
        }
    }
}
