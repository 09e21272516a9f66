// Probes of endpoints that are spoken to in HTTP/2, and gRPC's health protocol, which needs it
// (grpc.health.v1): one stream on a connection of its own.

import HTTPWire
import Reactor
import TLS
import Traffic

extension Worker {
    func speaksHTTP2(_ probe: Slot<Probe>, _ channel: Slot<Channel>) -> Bool {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        if plan.request == nil { return false }
        if plan.plan.probe == .grpc { return true }
        let endpoint = unsafe probe.it.endpoint.takeUnretainedValue()
        switch endpoint.key.wire {
        case .http1: return false
        case .http2: return true
        case .auto: return loop.negotiated(channel) == .http2
        }
    }

    mutating func sendStreamProbe(
        _ probe: Slot<Probe>, _ plan: CheckPlan, _ channel: Slot<Channel>
    ) {
        var options = HTTP2Options()
        options.isSecure = channel.it.isSealed
        guard let request = plan.request,
            let session = http2.makeClient(options, owner: probe.address, now: loop.now)
        else { return judge(probe, "no memory for a session") }
        probe.it.session = session
        probe.it.phase = .awaitingAnswer
        do {
            let isGRPC = plan.plan.probe == .grpc
            let stream = try session.request(
                request.bytes.span, owner: probe.address, ends: !isGRPC)
            sendFrames(of: session, on: channel)
            guard isGRPC else { return }
            // An empty message: not compressed, no bytes.
            let message = Bytes("\0\0\0\0\0")
            let now = loop.now
            let count = unsafe frames.fill { room in
                unsafe stream.send(message.span, ends: true, into: room, now: now)
            }
            loop.send(channel, frames.bytes(count))
        } catch {
            judge(probe, "the request cannot be said in HTTP/2")
        }
    }

    private mutating func sendFrames(of session: HTTP2Session, on channel: Slot<Channel>) {
        let now = loop.now
        while true {
            let count = unsafe frames.fill { room in unsafe session.produce(into: room, now: now) }
            if count == 0 { return }
            loop.send(channel, frames.bytes(count))
        }
    }

    mutating func readStreamProbe(_ probe: Slot<Probe>, _ bytes: Bytes) {
        guard let session = probe.it.session, let channel = probe.it.channel else { return }
        var verdict = ProbeVerdict.open
        var rest = bytes
        repeat {
            let used = session.receive(rest.span, now: loop.now)
            while let event = http2.nextEvent() {
                if verdict == .open { verdict = look(at: event, of: rest, probe) }
            }
            rest = rest.dropping(used)
        } while !rest.isEmpty || session.hasMore
        while let notice = session.nextNotice() {
            if case .reset(let stream, let code) = notice {
                stream.release()
                if verdict == .open { verdict = .failed("stream reset: \(code.name)") }
            }
        }
        switch verdict {
        case .open:
            if probe.it.stash.count > Limits.probeAnswerBytes {
                return judge(probe, "an endless answer")
            }
            sendFrames(of: session, on: channel)
        case .good: judge(probe, nil)
        case .failed(let reason): judge(probe, reason)
        }
    }

    private enum ProbeVerdict: Equatable {
        case open, good
        case failed(String)
    }

    private mutating func look(
        at event: HTTP2Event, of bytes: Bytes, _ probe: Slot<Probe>
    ) -> ProbeVerdict {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        let isGRPC = plan.plan.probe == .grpc
        switch event.kind {
        case .interim: return .open
        case .headTooLarge: return .failed("an endless head")
        case .head:
            let head = unsafe http2.withHeads { unsafe Bytes($0) }.slice(event.slice)
            return look(atHead: head, ends: event.endsStream, plan)
        case .data:
            let data = bytes.slice(event.slice)
            event.stream.consume(data.count)
            if isGRPC { probe.it.stash.append(data) }
            return event.endsStream ? .failed("no grpc-status") : .open
        case .trailers:
            let lines = unsafe http2.withHeads { unsafe Bytes($0) }.slice(event.slice)
            do {
                guard try TrailerFields.read(lines.span, into: &fields) != nil else {
                    return .failed("malformed trailers")
                }
            } catch {
                return .failed("malformed trailers")
            }
            return judge(status: GRPCStatus.read(fields, of: lines.span), probe)
        case .end: return .failed("no grpc-status")
        }
    }

    private mutating func look(
        atHead head: Bytes, ends: Bool, _ plan: CheckPlan
    ) -> ProbeVerdict {
        do {
            let parsed = try answerParser.parse(
                head.span, fields: &fields, requestMethod: .get)
            guard let answer = parsed else { return .failed("not HTTP") }
            if plan.plan.probe != .grpc {
                return plan.complaint(aboutStatus: answer.status).map { .failed($0) } ?? .good
            }
            if answer.status != 200 { return .failed("status \(answer.status)") }
            if let status = GRPCStatus.read(fields, of: head.span), status != .ok {
                return .failed("grpc-status \(status.name)")
            }
            return ends ? .failed("no message") : .open
        } catch {
            return .failed("not HTTP: \(error.reason)")
        }
    }

    /// The answer is whole: its message must say SERVING.
    private func judge(status: GRPCStatus?, _ probe: Slot<Probe>) -> ProbeVerdict {
        guard let status else { return .failed("no grpc-status") }
        if status != .ok { return .failed("grpc-status \(status.name)") }
        return HealthMessage.isServing(probe.it.stash.bytes.span) ? .good : .failed("NOT_SERVING")
    }
}
