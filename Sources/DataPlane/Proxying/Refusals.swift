// The gateway's own answers, `application/problem+json` (RFC 9457). The connection is kept where
// the next request can be found without doubt, and closed with care where it cannot.

import HTTPWire
import Reactor
import Traffic

extension Worker {
    /// A request without an exchange, which leaves the connection of no use.
    mutating func refuse(_ client: Slot<ClientConnection>, _ code: RefusalCode) {
        refuse(client, code, malformed: nil)
    }

    /// The bytes are not a request.
    mutating func refuse(_ client: Slot<ClientConnection>, _ error: WireError) {
        refuse(client, .malformedRequest, malformed: error)
    }

    private mutating func refuse(
        _ client: Slot<ClientConnection>, _ code: RefusalCode, malformed error: WireError?
    ) {
        meters.refusal(code, malformed: error).increment()
        composeRefusal(code, malformed: error, closes: true)
        sendRefusal(to: client)
        let status = error.map { UInt16($0.status) } ?? code.status
        logRefusal(client, code, status: status, method: .empty, target: .empty)
        linger(client)
    }

    /// A well-formed request that goes nowhere. Without a body its connection lives on.
    ///
    /// - Returns: how many bytes are done with.
    mutating func refuseAtHead(
        _ client: Slot<ClientConnection>, _ code: RefusalCode, _ request: RequestHead,
        _ bytes: Bytes
    ) -> Int {
        meters.refusal(code).increment()
        let closes = !request.keepsAlive || !request.framing.isEmpty || isDraining
        let requestID = requestID(of: request, in: bytes)
        if request.contentTypeIsGRPC, client.it.isStream {
            composeGRPCRefusal(code, status: code.status, requestID: requestID)
        } else {
            composeRefusal(
                code, closes: closes, isHead: request.method == .head,
                isOld: request.minorVersion == 0, requestID: requestID)
        }
        sendRefusal(to: client)
        logRefusal(
            client, code, status: code.status, method: bytes.slice(request.methodText),
            target: bytes.slice(request.target))
        if closes || client.it.isStream {
            linger(client)
            return bytes.count
        }
        client.it.since = loop.now
        if !client.it.channel.it.isCongested { setTimer(client, after: gateway.keepAlive) }
        return request.byteCount
    }

    private func requestID(of request: RequestHead, in bytes: Bytes) -> Bytes {
        guard request.requestIDField >= 0 else { return .empty }
        let value = fields[Int(request.requestIDField)].value
        return Int(value.count) <= Limits.requestIDBytes ? bytes.slice(value) : .empty
    }

    /// An exchange of which the client has seen nothing yet.
    mutating func refuse(
        _ exchange: Slot<Exchange>, _ code: RefusalCode, malformed error: WireError?
    ) {
        let client = exchange.it.client
        meters.refusal(code, malformed: error).increment()
        exchange.it.error = code
        exchange.it.status = error.map { UInt16($0.status) } ?? code.status
        let keepsAlive = exchange.it.keepsAlive && exchange.it.isRequestDone && !isDraining
        let requestID = exchange.it.replay.bytes.slice(exchange.it.requestID)
        if exchange.it.isGRPC {
            composeGRPCRefusal(code, status: exchange.it.status, requestID: requestID)
        } else {
            composeRefusal(
                code, malformed: error, closes: !keepsAlive,
                isHead: exchange.it.method == .head, isOld: exchange.it.minorVersion == 0,
                requestID: requestID)
        }
        exchange.it.keepsAlive = keepsAlive
        sendRefusal(to: client)
        finish(exchange, outcome: code.outcome)
    }

    /// One that is told before its first byte is read.
    mutating func sendRefusal(_ client: Slot<ClientConnection>, _ code: RefusalCode) {
        composeRefusal(code, closes: true)
        sendRefusal(to: client)
    }

    /// What was just composed: head and body.
    private mutating func sendRefusal(to client: Slot<ClientConnection>) {
        guard client.it.isStream else { return loop.send(client.it.channel, composed) }
        let body = composed.dropping(refusalHeadBytes)
        let headBytes = refusalHeadBytes
        sendHead(
            composed.slice(from: 0, count: headBytes), to: client, isFinal: true,
            endsStream: body.isEmpty)
        sendBody(body, to: client)
    }

    /// A head that is all of an answer: gRPC's status stands where trailers would be (gRPC over
    /// HTTP/2, Trailers-Only).
    private mutating func composeGRPCRefusal(
        _ code: RefusalCode, status: UInt16, requestID: Bytes
    ) {
        head.removeAll()
        head.append("HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: ")
        head.appendDecimal(UInt64(RefusalCode.statusOfGRPC(for: status)))
        head.append("\r\ngrpc-message: ")
        head.append(code.detail)
        head.append("\r\nx-penstock-error: ")
        head.append(code.code)
        head.appendCRLF()
        dates.append(wall, to: &head)
        if !requestID.isEmpty {
            head.append("x-request-id: ")
            head.append(requestID.span)
            head.appendCRLF()
        }
        head.appendCRLF()
        refusalHeadBytes = head.count
    }

    mutating func composeRefusal(
        _ code: RefusalCode, malformed error: WireError? = nil, closes: Bool,
        isHead: Bool = false, isOld: Bool = false, requestID: Bytes = .empty
    ) {
        let status = error.map { UInt16($0.status) } ?? code.status
        let title = RefusalCode.title(of: status)
        let detail = error?.reason ?? code.detail
        let errorCode = error?.code ?? code.code
        head.removeAll()
        head.append("HTTP/1.1 ")
        head.appendDecimal(UInt64(status))
        head.append(" ")
        head.append(title)
        head.append("\r\ncontent-type: application/problem+json\r\ncontent-length: ")
        let length =
            Worker.problemBytes + title.utf8CodeUnitCount + detail.utf8CodeUnitCount
            + errorCode.utf8CodeUnitCount
        head.appendDecimal(UInt64(length))
        head.appendCRLF()
        dates.append(wall, to: &head)
        head.append("cache-control: no-store\r\nx-penstock-error: ")
        head.append(errorCode)
        head.appendCRLF()
        if !requestID.isEmpty {
            head.append("x-request-id: ")
            head.append(requestID.span)
            head.appendCRLF()
        }
        if status == 503 {
            head.append("retry-after: ")
            head.appendDecimal(Limits.retryAfterSeconds)
            head.appendCRLF()
        }
        if closes {
            head.append("connection: close\r\n")
        } else if isOld {
            head.append("connection: keep-alive\r\n")
        }
        head.appendCRLF()
        refusalHeadBytes = head.count
        if !isHead { appendProblem(status, title, detail, errorCode) }
    }

    /// Length of a problem without its title, detail and code; a status has three digits.
    private static let problemBytes = 69

    /// None of the texts needs escaping: they are our own.
    private mutating func appendProblem(
        _ status: UInt16, _ title: StaticString, _ detail: StaticString, _ code: StaticString
    ) {
        head.append("{\"type\":\"about:blank\",\"title\":\"")
        head.append(title)
        head.append("\",\"status\":")
        head.appendDecimal(UInt64(status))
        head.append(",\"detail\":\"")
        head.append(detail)
        head.append("\",\"code\":\"")
        head.append(code)
        head.append("\"}\n")
    }
}
