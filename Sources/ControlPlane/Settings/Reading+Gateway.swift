// `gateway:`: listeners, limits, timeouts, the access log, and whom to believe.

import Traffic
import Yams

extension Reading {
    func gateway(_ section: Section, from defaults: GatewayPlan) -> GatewayPlan? {
        var gateway = defaults
        if let value = section["listeners"],
            let list = value.list("listeners", count: 1...Limits.listeners)
        {
            gateway.listeners = list.compactMap { $0.section(listener) }
            let addresses = list.compactMap { $0.child("address") }
            refuseTwins(addresses, of: "listeners")
        }
        section.assign("workers", &gateway.workers) { value in
            value.node.string == "auto" ? workers : value.whole(1...256)
        }
        section.assign("limits", &gateway.limits) { $0.section(limits) }
        section.assign("timeouts", &gateway.timeouts) { value in
            value.section { timeouts($0, over: defaults.timeouts) }
        }
        section.assign("access_log", &gateway.accessLog) { $0.section(accessLog) }
        section.assign("trusted_proxies", &gateway.trustedProxies) { value in
            value.list("blocks of addresses", count: 0...Limits.ranges)?.compactMap { $0.range() }
        }
        return gateway
    }

    private func listener(_ section: Section) -> ListenerPlan? {
        var requiresProxyProtocol = false
        let value = section.required("address", "such as 127.0.0.1:8080")
        section.assign("proxy_protocol", &requiresProxyProtocol) { $0.boolean() }
        let tls = listenerTLS(section)
        guard let address = value?.listeningAddress() else { return nil }
        var listener = ListenerPlan(
            address: address, requiresProxyProtocol: requiresProxyProtocol)
        listener.tls = tls
        return listener
    }

    private func limits(_ section: Section) -> TrafficLimits? {
        var limits = TrafficLimits()
        section.assign("connections", &limits.connections) { $0.whole(1...1_000_000) }
        section.assign("request_head", &limits.requestHeadBytes) { value in
            value.size(1024...262_144, spelled: "1KiB to 256KiB").map(Int.init)
        }
        section.assign("headers", &limits.headers) { $0.whole(1...1000) }
        section.assign("request_body", &limits.requestBodyBytes) { value in
            value.size(0...1_099_511_627_776, spelled: "0 to 1TiB")
        }
        section.assign("pending", &limits.pending) { $0.whole(0...1_000_000) }
        section.assign("replay", &limits.replayBytes) { value in
            value.size(0...16_777_216, spelled: "0 to 16MiB").map(Int.init)
        }
        return limits
    }

    /// The gateway's timeouts, or a service's over them.
    func timeouts(_ section: Section, over outer: TimeoutPlan) -> TimeoutPlan? {
        var timeouts = outer
        func assign(_ key: String, _ place: WritableKeyPath<TimeoutPlan, Duration>) {
            section.assign(key, &timeouts[keyPath: place]) { value in
                value.duration(
                    .milliseconds(1) ... .seconds(Limits.longestSeconds), mayBeOff: true)
            }
        }
        assign("request_head", \.requestHead)
        assign("request_idle", \.requestIdle)
        assign("response_idle", \.responseIdle)
        assign("keep_alive", \.keepAlive)
        assign("connect", \.connect)
        assign("first_byte", \.firstByte)
        assign("stream_idle", \.streamIdle)
        assign("total", \.total)
        assign("drain", \.drain)
        return timeouts
    }

    private func accessLog(_ section: Section) -> AccessLogPlan?? {
        var log: AccessLogPlan?
        let value = section.required("path", "a file, or \"-\" for standard output")
        if value?.node.string == "-" {
            log = AccessLogPlan(path: "-")
        } else if let value, let path = path(value) {
            if let complaint = surroundings.log(path) { value.refuse(complaint) }
            log = AccessLogPlan(path: path)
        }
        var sample = 1.0
        section.assign("sample", &sample) { $0.fraction() }
        log?.sample = sample
        return log
    }
}
