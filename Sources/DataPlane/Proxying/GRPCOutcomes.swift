// gRPC tells how a call went in a field of its own, behind a 200: in the trailers, or in a head
// that is all of the answer. It counts here as a status of HTTP would, and one that turns the call
// away is taken at its word where the request may be sent again.

import Balancing
package import HTTPWire
import Reactor
package import Traffic

extension Worker {
    /// Keeps what the fields in the table say of a call.
    func noteGRPCStatus(_ exchange: Slot<Exchange>, in bytes: Bytes) {
        guard exchange.it.isGRPC, let status = GRPCStatus.read(fields, of: bytes.span)
        else { return }
        exchange.it.grpcStatus = status
    }

    /// Whose doing the end of a complete answer is.
    func outcome(of exchange: Slot<Exchange>) -> Outcome {
        let revision = exchange.it.service.it.revisions[Int(exchange.it.revision)]
        if revision.it.speaksForGateway, refuses(exchange) { return .overload }
        guard exchange.it.isGRPC else { return Worker.outcome(of: exchange.it.status) }
        // Time that the client itself set short says nothing about the replica.
        let isOwn = exchange.it.deadline > 0 && exchange.it.grpcStatus == .deadlineExceeded
        return isOwn ? .client : grpcStatus(of: exchange).outcome
    }

    /// The answer says no more than that there is none now.
    private func refuses(_ exchange: Slot<Exchange>) -> Bool {
        exchange.it.status >= 500
            || exchange.it.isGRPC && exchange.it.grpcStatus == .unavailable
    }

    /// As the client sees it: what nobody has told, it makes up from the status of HTTP.
    func grpcStatus(of exchange: Slot<Exchange>) -> GRPCStatus {
        if let status = exchange.it.grpcStatus { return status }
        if exchange.it.error == .clientGone { return .cancelled }
        if exchange.it.error != .none {
            let number = RefusalCode.statusOfGRPC(for: exchange.it.status)
            return GRPCStatus(rawValue: number) ?? .unknown
        }
        return GRPCStatus(httpStatus: exchange.it.status)
    }

    /// The status in a head that is all of an answer, if it turns the call away: UNAVAILABLE, or
    /// CANCELLED though nobody did, by a replica that is leaving. So gRPC's own servers answer what
    /// reaches them between their two GOAWAYs.
    func turningAway(_ exchange: Slot<Exchange>, in bytes: Bytes) -> GRPCStatus? {
        guard exchange.it.isGRPC, let status = GRPCStatus.read(fields, of: bytes.span)
        else { return nil }
        switch status {
        case .unavailable: return status
        case .cancelled:
            let session = exchange.it.upstream?.it.carrier?.it.session
            return session?.peerGoAway == nil ? nil : status
        default: return nil
        }
    }

    /// The head in the table is all of an answer, and turns the call away: it is tried elsewhere,
    /// within the same rules as after a lost connection.
    ///
    /// - Returns: false when the answer is to be passed on.
    mutating func repeatsTurnedAway(_ exchange: Slot<Exchange>, in bytes: Bytes) -> Bool {
        guard exchange.it.isGRPC, exchange.it.partner == nil, !exchange.it.isHedge,
            mayRepeat(exchange), exchange.it.attempts < exchange.it.service.it.rules.attempts,
            let status = turningAway(exchange, in: bytes), !hasPushback(bytes)
        else { return false }
        guard exchange.it.service.it.rules.budget.tryWithdraw(now: loop.now) else {
            exchange.it.service.it.retriesRefused.increment()
            return false
        }
        let index = exchange.it.endpoint
        endTry(exchange, outcome: status.outcome)
        exchange.it.choice.recordTry(of: index)
        exchange.it.service.it.retries.increment()
        dispatch(exchange)
        return true
    }

    /// The server has its own idea of when to come again, which only the client can follow.
    private func hasPushback(_ bytes: Bytes) -> Bool {
        for index in 0..<fields.count where fields[index].known == .other {
            let name = bytes.slice(fields[index].name)
            if name.isEqualIgnoringCase(to: Bytes("grpc-retry-pushback-ms")) { return true }
        }
        return false
    }
}

extension GRPCStatus {
    /// What a status of HTTP with the same meaning would count as.
    package var outcome: Outcome {
        switch self {
        case .ok: .success
        case .unknown, .internal, .unavailable, .dataLoss: .model
        case .deadlineExceeded: .timeout
        // A method that is not there is 404's, and a request too many 429's, not the replica's.
        case .cancelled, .invalidArgument, .notFound, .alreadyExists, .permissionDenied,
            .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented,
            .unauthenticated:
            .client
        }
    }
}
