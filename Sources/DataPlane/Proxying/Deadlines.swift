// Deadlines that clients set: `x-request-timeout`, and `grpc-timeout` of gRPC. They bound the wait
// in the queue, every try and the answer, and each replica is told what is left.

import HTTPWire
import Reactor

extension Worker {
    /// Reads the deadline of a request, if it has one. The fields are written anew for each try.
    mutating func noteDeadline(
        _ exchange: Slot<Exchange>, _ request: RequestHead, _ bytes: Bytes
    ) {
        var nanoseconds: Int64?
        let field = fields.first(.xRequestTimeout)
        if field >= 0, !fields.repeated.contains(.xRequestTimeout) {
            nanoseconds = RequestTimeout.parse(bytes.span, fields[field].value)
            // What is no duration is passed on: it may mean something to the replica.
            if nanoseconds != nil {
                exchange.it.tellsTimeout = true
                fields[field].isHopByHop = true
            }
        }
        if request.contentTypeIsGRPC {
            // One sent twice is bounded by the shorter, and told as one.
            for index in 0..<fields.count where fields[index].known == .other {
                guard
                    bytes.slice(fields[index].name).isEqualIgnoringCase(to: Bytes("grpc-timeout")),
                    let own = GRPCTimeout.parse(bytes.span, fields[index].value)
                else { continue }
                nanoseconds = min(nanoseconds ?? .max, own)
                exchange.it.tellsGRPCTimeout = true
                fields[index].isHopByHop = true
            }
        }
        guard let nanoseconds else { return }
        let (deadline, overflows) = exchange.it.started.addingReportingOverflow(nanoseconds)
        exchange.it.deadline = overflows ? .max : max(1, deadline)
        leaveToOperator(exchange)
    }

    /// What the service sets or removes is not told by the gateway, too; the deadline holds.
    private func leaveToOperator(_ exchange: Slot<Exchange>) {
        let names = exchange.it.service.it.rules.requestNames
        for index in 0..<names.count {
            if names[index].it.isEqual(to: Bytes("x-request-timeout")) {
                exchange.it.tellsTimeout = false
            } else if names[index].it.isEqual(to: Bytes("grpc-timeout")) {
                exchange.it.tellsGRPCTimeout = false
            }
        }
    }

    /// Lines that are written for each try, behind the first line.
    mutating func appendPerTry(_ exchange: Slot<Exchange>) {
        if exchange.it.insertsHost {
            head.append("host: ")
            head.append(endpoint(of: exchange).it.hostText.span)
            head.appendCRLF()
        }
        let left = exchange.it.deadline - loop.now
        if exchange.it.tellsTimeout {
            head.append("x-request-timeout: ")
            RequestTimeout.append(left, to: &head)
            head.appendCRLF()
        }
        if exchange.it.tellsGRPCTimeout {
            head.append("grpc-timeout: ")
            GRPCTimeout.append(left, to: &head)
            head.appendCRLF()
        }
    }

    /// When an exchange has to be over: by its service's `total`, or by its client's word.
    func deadline(of exchange: Slot<Exchange>) -> Int64 {
        let total = exchange.it.service.it.rules.total
        let own = exchange.it.deadline > 0 ? exchange.it.deadline : .max
        return min(own, total > 0 ? exchange.it.started + total : .max)
    }
}
