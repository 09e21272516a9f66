// What the data plane shall do, whole: a value the control plane writes and the data plane reads.
// It is validated at birth, so past this edge it cannot be invalid. A plan is never patched.

/// One complete instruction to the data plane. Applied whole or not at all.
package struct TrafficPlan: Sendable, Equatable {
    /// Grows by one with each plan the control plane issues; reported back when in force.
    package let generation: UInt64
    package let gateway: GatewayPlan
    package let services: [ServicePlan]

    /// Checks every rule that spans more than one value.
    ///
    /// - Throws: `TrafficPlanError` naming the first rule broken and where.
    package init(
        generation: UInt64, gateway: GatewayPlan, services: [ServicePlan]
    ) throws(TrafficPlanError) {
        self.generation = generation
        self.gateway = gateway
        self.services = services
        try validate()
    }
}

/// What belongs to the gateway rather than to one service.
package struct GatewayPlan: Sendable, Equatable {
    package var listeners: [ListenerPlan]
    /// Number of event loops; fixed at start.
    package var workers: Int
    package var limits = TrafficLimits()
    package var timeouts = TimeoutPlan()
    package var accessLog: AccessLogPlan?
    /// Peers whose forwarding headers and PROXY protocol are believed.
    package var trustedProxies: [AddressRange] = []

    package init(listeners: [ListenerPlan], workers: Int) {
        self.listeners = listeners
        self.workers = workers
    }
}

package struct ListenerPlan: Sendable, Hashable {
    package var address: NetworkAddress
    /// Every connection must begin with a PROXY protocol header (v1 or v2).
    package var requiresProxyProtocol: Bool
    /// Nil is cleartext.
    package var tls: ListenerTLSPlan?

    package init(address: NetworkAddress, requiresProxyProtocol: Bool = false) {
        self.address = address
        self.requiresProxyProtocol = requiresProxyProtocol
    }
}

/// Gateway-wide limits. Sizes are bytes.
package struct TrafficLimits: Sendable, Equatable {
    package var connections = 20_000
    package var requestHeadBytes = 64 * 1024
    package var headers = 128
    package var requestBodyBytes: UInt64 = 256 * 1024 * 1024
    /// Requests waiting for a replica slot, over all services.
    package var pending = 10_000
    /// Bytes of a request body kept so that it can be sent again.
    package var replayBytes = 64 * 1024

    package init() {}
}

/// Timeouts; `.zero` switches one off. A service may override any of them.
package struct TimeoutPlan: Sendable, Equatable {
    package var requestHead: Duration = .seconds(10)
    package var requestIdle: Duration = .seconds(30)
    package var responseIdle: Duration = .seconds(30)
    package var keepAlive: Duration = .seconds(60)
    package var connect: Duration = .seconds(1)
    package var firstByte: Duration = .seconds(60)
    package var streamIdle: Duration = .seconds(60)
    package var total: Duration = .zero
    package var drain: Duration = .seconds(30)

    package init() {}
}

package struct AccessLogPlan: Sendable, Equatable {
    /// A file's path, or "-" for standard output.
    package var path: String
    /// Share of requests logged, 0...1. Failed requests (status 500 and up) are always logged.
    package var sample: Double

    package init(path: String, sample: Double = 1) {
        self.path = path
        self.sample = sample
    }
}
