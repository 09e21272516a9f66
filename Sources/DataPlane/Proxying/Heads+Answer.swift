// The head that goes to the client: the replica's fields without those that end here, framing that
// the client understands, and what the gateway adds.

import Balancing
import HTTPWire
import Reactor

extension Worker {
    /// The gateway's own word, which a replica cannot speak for it.
    static let answerReplaced = FieldMask.none.with(
        .xRequestID, .penstockDeployment, .penstockRevision, .penstockInferenceID,
        .penstockError, .penstockOther)

    /// One who speaks in the gateway's name may say what is wrong.
    static let answerOfOwn = FieldMask.none.with(
        .xRequestID, .penstockDeployment, .penstockRevision, .penstockInferenceID, .penstockOther)

    mutating func appendStatusLine(_ answer: ResponseHead, _ bytes: Bytes) {
        head.append("HTTP/1.1 ")
        head.appendDecimal(UInt64(answer.status))
        head.append(0x20)
        head.append(bytes.span, answer.reason)
        head.appendCRLF()
    }

    /// - Returns: false when the head does not fit.
    mutating func composeAnswer(
        _ answer: ResponseHead, in bytes: Bytes, _ exchange: Slot<Exchange>
    ) -> Bool {
        let service = exchange.it.service
        let revision = service.it.revisions[Int(exchange.it.revision)]
        head.removeAll()
        appendStatusLine(answer, bytes)
        if service.it.rules.responseNames.count > 0 {
            dropFields(service.it.rules.responseNames, in: bytes)
        }
        HeadWriter.copyFields(
            fields, of: bytes.span,
            skipping: revision.it.speaksForGateway ? Worker.answerOfOwn : Worker.answerReplaced,
            into: &head)
        if exchange.it.answersChunked { head.append("transfer-encoding: chunked\r\n") }
        if fields.first(.date) < 0 { dates.append(wall, to: &head) }
        head.append("x-request-id: ")
        head.append(exchange.it.replay.bytes.slice(exchange.it.requestID).span)
        head.append("\r\nx-penstock-revision: ")
        head.append(revision.it.name.span)
        head.append("\r\nx-penstock-inference-id: ")
        appendInferenceID()
        head.appendCRLF()
        if exchange.it.setsSticky { appendSession(exchange) }
        appendConnection(exchange)
        head.append(service.it.rules.responseLines.span)
        head.appendCRLF()
        return !head.didOverflow
    }

    mutating func appendConnection(_ exchange: Slot<Exchange>) {
        if !exchange.it.keepsAlive {
            head.append("connection: close\r\n")
        } else if exchange.it.minorVersion == 0 {
            head.append("connection: keep-alive\r\n")
        }
    }

    /// A ULID: sorts by time, unique without a counter. 48 bits of milliseconds, 80 random ones,
    /// in Crockford's base 32.
    private mutating func appendInferenceID() {
        let time = UInt64(max(0, wall))
        head.appendBase32(time >> 40, digits: 2)
        head.appendBase32(time, digits: 8)
        head.appendBase32(random.next(), digits: 8)
        head.appendBase32(random.next(), digits: 8)
    }

    private mutating func appendSession(_ exchange: Slot<Exchange>) {
        let service = exchange.it.service
        guard case .cookie(let name) = service.it.rules.sticky else { return }
        let tag = service.it.balancer.table.tag(
            revision: Int(exchange.it.revision), endpoint: Int(exchange.it.endpoint))
        let value = StickyCookie.make(tag: tag, wallSeconds: wall / 1000, key: shared.options.key)
        head.append("set-cookie: ")
        head.append(name.span)
        head.append("=")
        unsafe head.append(value.span.bytes)
        head.append("; Path=/; Max-Age=")
        head.appendDecimal(UInt64(max(0, service.it.rules.stickyLifetimeSeconds)))
        head.append("; HttpOnly; SameSite=Lax\r\n")
    }
}
