// Active health checks, on the loops themselves: a small connection of its own for every check.
// Each endpoint is checked by one loop; its verdict is shared, and told to all when it is bad.

import Balancing
import HTTPWire
import Reactor
import Traffic

/// The check of one endpoint, between and during its probes.
@safe
struct Probe {
    enum Phase: UInt8 {
        case resting, connecting, shakingHands, awaitingAnswer
    }

    let endpoint: Unmanaged<CompiledEndpoint>
    let handle: EndpointHandle
    var plan: Unmanaged<CheckPlan>
    var tracker: HealthTracker
    var phase = Phase.resting
    var channel: Slot<Channel>?
    var timer = TimerID.none
    var stash = HeapBytes()
    /// Where the endpoint is spoken to in HTTP/2.
    var session: HTTP2Session?
    /// When the last probe began, and when it must have succeeded.
    var started: Int64 = 0
    var deadline: Int64 = 0
    var isOver = false
}

/// A service's health check, with what is sent for it.
final class CheckPlan: Sendable {
    let plan: HealthCheckPlan
    let service: CompiledService
    let revision: Int
    let request: FrozenBytes?
    let interval: Int64
    let timeout: Int64

    init(_ plan: HealthCheckPlan, service: CompiledService, revision: Int, host: String) {
        self.plan = plan
        self.service = service
        self.revision = revision
        interval = plan.interval.wholeNanoseconds
        timeout = plan.timeout.wholeNanoseconds
        let path: String? =
            switch plan.probe {
            case .tcp: nil
            case .http(let path): path
            case .openInference: "/v2/health/ready"
            case .grpc: nil
            }
        if plan.probe == .grpc {
            request = FrozenBytes(
                "POST /grpc.health.v1.Health/Check HTTP/1.1\r\nhost: \(host)\r\n"
                    + "user-agent: penstock-health\r\ncontent-type: application/grpc\r\n"
                    + "te: trailers\r\n\r\n")
            return
        }
        request = path.map { path in
            FrozenBytes(
                "GET \(path) HTTP/1.1\r\nhost: \(host)\r\nuser-agent: penstock-health\r\n"
                    + "accept: */*\r\nconnection: close\r\n\r\n")
        }
    }
}

extension CheckPlan {
    /// A ready model answers 200 (Open Inference Protocol); elsewhere 2xx and 3xx are good.
    func complaint(aboutStatus status: UInt16) -> String? {
        let isGood =
            plan.probe == .openInference ? status == 200 : status >= 200 && status < 400
        return isGood ? nil : "status \(status)"
    }
}

extension Worker {
    /// Checks what the new plan wants checked by this loop, and nothing else. Verdicts stay.
    mutating func updateProbes(_ plan: CompiledPlan) {
        var wanted: Set<ObjectIdentifier> = []
        for service in plan.services {
            for (revision, endpoints) in service.endpoints.enumerated() {
                for endpoint in endpoints where endpoint.proberLoop == index {
                    let key = ObjectIdentifier(endpoint)
                    if let health = service.plan.health {
                        wanted.insert(key)
                        check(endpoint, health, service, revision)
                    } else {
                        endpoint.state.handle.setHealth(.unknown, now: loop.now)
                    }
                }
            }
        }
        for (key, probe) in checks where !wanted.contains(key) { endProbe(probe, key) }
    }

    private mutating func check(
        _ endpoint: CompiledEndpoint, _ health: HealthCheckPlan, _ service: CompiledService,
        _ revision: Int
    ) {
        let key = ObjectIdentifier(endpoint)
        let plan = CheckPlan(
            health, service: service, revision: revision, host: endpoint.hostDescription)
        var before = EndpointHealth.unknown
        if let known = checks[key] {
            let old = unsafe known.it.plan
            if unsafe old.takeUnretainedValue().plan == health {
                // Nothing new: the probe under way and the count of results go on.
                unsafe known.it.plan = Unmanaged.passRetained(plan)
                return unsafe old.release()
            }
            before = known.it.tracker.health
            endProbe(known, key)
        }
        let record = unsafe Probe(
            endpoint: Unmanaged.passRetained(endpoint), handle: endpoint.state.handle,
            plan: Unmanaged.passRetained(plan),
            tracker: HealthTracker(rise: health.rise, fall: health.fall, health: before))
        guard let probe = probes.take(record) else { return }
        checks[key] = probe
        beginProbe(probe)
    }

    mutating func endProbe(_ probe: Slot<Probe>, _ key: ObjectIdentifier) {
        checks[key] = nil
        probe.it.isOver = true
        if let channel = probe.it.channel { loop.drop(channel) }
        probe.it.channel = nil
        probe.it.stash.free()
        probe.it.session?.free()
        loop.timers.cancel(&probe.it.timer)
        unsafe probe.it.endpoint.release()
        unsafe probe.it.plan.release()
        deadProbes.append(probe)
    }

    /// Until the next probe: the interval from the beginning of the last one, so that slow failures
    /// are found as soon as quick ones; spread by a tenth so that probes do not march in step;
    /// shorter while no endpoint of the revision is usable.
    private mutating func rest(_ probe: Slot<Probe>) {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        probe.it.phase = .resting
        let isPanicking = plan.service.table.isPanicking(revision: plan.revision, now: loop.now)
        let interval =
            isPanicking ? min(plan.interval, Limits.panicProbeNanoseconds) : plan.interval
        let spread = Int64(random.next(below: UInt64(max(1, interval / 10))))
        loop.timers.set(
            &probe.it.timer, at: probe.it.started + interval - interval / 20 + spread,
            token: RecordKind.tag(probe, .probe))
    }

    private mutating func beginProbe(_ probe: Slot<Probe>) {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        let endpoint = unsafe probe.it.endpoint.takeUnretainedValue()
        meters.probesSent.increment()
        probe.it.started = loop.now
        probe.it.deadline = loop.now + plan.timeout
        loop.timers.set(
            &probe.it.timer, at: probe.it.deadline, token: RecordKind.tag(probe, .probe))
        guard let address = endpoint.addresses.withLock({ $0.first }) else {
            return judge(probe, "the name has not been resolved")
        }
        switch connect(to: address) {
        case .failed(let code):
            // For want of our own descriptors nothing is learned about the replica.
            if Sockets.isShortage(code) { return rest(probe) }
            judge(probe, "\(SystemError(call: "connect", code: code))")
        case .connected(let socket):
            guard adopt(socket, probe, isConnecting: false) else { return }
            probeConnected(probe)
        case .inProgress(let socket):
            guard adopt(socket, probe, isConnecting: true) else { return }
            probe.it.phase = .connecting
        }
    }

    private mutating func adopt(
        _ socket: Int32, _ probe: Slot<Probe>, isConnecting: Bool
    ) -> Bool {
        let tag = RecordKind.tag(probe, .probe)
        guard let channel = loop.open(socket, owner: tag, isConnecting: isConnecting) else {
            Sockets.close(socket)
            rest(probe)
            return false
        }
        probe.it.channel = channel
        return true
    }

    private mutating func probeConnected(_ probe: Slot<Probe>) {
        guard let channel = probe.it.channel else { return }
        let endpoint = unsafe probe.it.endpoint.takeUnretainedValue()
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        guard plan.request != nil, let tls = endpoint.tls.withLock({ $0 }) else {
            return sendProbe(probe)
        }
        probe.it.phase = .shakingHands
        if !loop.beginTLS(channel, as: tls.context, to: tls.name) {
            judge(probe, "TLS: no session can be made")
        }
    }

    private mutating func shakeHands(_ probe: Slot<Probe>, _ channel: Slot<Channel>) {
        switch loop.receive(channel, atMost: Limits.probeAnswerBytes) {
        case .wouldBlock:
            if loop.isEstablished(channel) { sendProbe(probe) }
        case .bytes(let count):
            sendProbe(probe)
            guard probe.it.phase == .awaitingAnswer else { return }
            // In HTTP/2 a server's settings may come with the handshake's end.
            if probe.it.session == nil { return judge(probe, "it speaks before it is asked") }
            readStreamProbe(probe, loop.received(count))
        case .ended: judge(probe, "TLS: closed during the handshake")
        case .failed:
            judge(probe, "TLS: \(loop.sessionFault.map { "\($0)" } ?? "connection reset")")
        }
    }

    /// The connection is ready for the request.
    private mutating func sendProbe(_ probe: Slot<Probe>) {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        guard let channel = probe.it.channel else { return }
        if speaksHTTP2(probe, channel) { return sendStreamProbe(probe, plan, channel) }
        guard let request = plan.request else { return judge(probe, nil) }
        probe.it.phase = .awaitingAnswer
        loop.send(channel, request.bytes)
    }

    mutating func probeEvent(_ probe: Slot<Probe>, _ readiness: Readiness) {
        guard !probe.it.isOver, let channel = probe.it.channel else { return }
        _ = loop.note(readiness, on: channel)
        if probe.it.phase == .connecting {
            let isDecided = !readiness.isDisjoint(with: [.writable, .failed, .hungUp])
            guard isDecided else { return }
            let code = Sockets.pendingError(channel.it.descriptor)
            if code != 0 { return judge(probe, "\(SystemError(call: "connect", code: code))") }
            loop.connected(channel)
            probeConnected(probe)
        }
        if probe.it.phase == .shakingHands, channel.it.isReadable { shakeHands(probe, channel) }
        if probe.it.phase == .awaitingAnswer, channel.it.isReadable { readProbe(probe, channel) }
    }

    private mutating func readProbe(_ probe: Slot<Probe>, _ channel: Slot<Channel>) {
        while channel.it.isReadable, probe.it.phase == .awaitingAnswer {
            switch loop.receive(channel, atMost: Limits.probeAnswerBytes) {
            case .bytes(let count):
                if probe.it.session != nil {
                    readStreamProbe(probe, loop.received(count))
                    continue
                }
                probe.it.stash.append(loop.received(count))
                readVerdict(probe)
            case .wouldBlock: return
            case .ended: judge(probe, "closed without an answer")
            case .failed(let code): judge(probe, "\(SystemError(call: "recv", code: code))")
            }
        }
    }

    private mutating func readVerdict(_ probe: Slot<Probe>) {
        do {
            let bytes = probe.it.stash.bytes
            let answer = try answerParser.parse(bytes.span, fields: &fields, requestMethod: .get)
            guard let answer else {
                if bytes.count > Limits.probeAnswerBytes { judge(probe, "an endless answer") }
                return
            }
            if answer.isInformational {
                probe.it.stash.consume(answer.byteCount)
                if !probe.it.stash.isEmpty { readVerdict(probe) }
                return
            }
            let plan = unsafe probe.it.plan.takeUnretainedValue()
            judge(probe, plan.complaint(aboutStatus: answer.status))
        } catch {
            judge(probe, "not HTTP: \(error.reason)")
        }
    }

    mutating func probeTimer(_ probe: Slot<Probe>) {
        guard !probe.it.isOver else { return }
        if probe.it.phase == .resting, probe.it.channel == nil { return beginProbe(probe) }
        if loop.now < probe.it.deadline {
            loop.timers.set(
                &probe.it.timer, at: probe.it.deadline, token: RecordKind.tag(probe, .probe))
            return
        }
        judge(probe, "no answer in time")
    }

    /// One probe is decided; `failure` says why it failed.
    mutating func judge(_ probe: Slot<Probe>, _ failure: String?) {
        let plan = unsafe probe.it.plan.takeUnretainedValue()
        let endpoint = unsafe probe.it.endpoint.takeUnretainedValue()
        if let channel = probe.it.channel { loop.drop(channel) }
        probe.it.channel = nil
        probe.it.stash.free()
        probe.it.session?.free()
        probe.it.session = nil
        let isPanicking = plan.service.table.isPanicking(revision: plan.revision, now: loop.now)
        let verdict =
            failure == nil
            ? probe.it.tracker.succeeded(isPanicking: isPanicking) : probe.it.tracker.failed()
        if failure != nil { meters.probesFailed.increment() }
        endpoint.probeError.withLock { if $0 != failure ?? "" { $0 = failure ?? "" } }
        if let verdict { announce(verdict, of: endpoint, probe.it.handle, failure) }
        rest(probe)
    }

    private mutating func announce(
        _ verdict: EndpointHealth, of endpoint: CompiledEndpoint, _ handle: EndpointHandle,
        _ failure: String?
    ) {
        let before = handle.health
        handle.setHealth(verdict, now: loop.now)
        let name = "\(endpoint.key.service)/\(endpoint.key.revision) \(endpoint.key.address)"
        if verdict == .down {
            shared.options.log(.info("endpoint \(name) is down: \(failure ?? "")"))
            shared.postToAll(.endpointDown(endpoint))
        } else if before == .down {
            shared.options.log(.info("endpoint \(name) is up again"))
            wantsHeldServed = true
        }
    }
}
