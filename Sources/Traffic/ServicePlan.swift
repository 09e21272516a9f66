// One service of a plan: which requests are its own, and which replicas answer them, how. Values
// only; `TrafficPlan` checks the rules between them.

package struct ServicePlan: Sendable, Equatable {
    package var name: String
    package var routes: [RoutePlan]
    package var balancing = BalancingPlan()
    package var split = SplitPlan()
    package var health: HealthCheckPlan?
    package var ejection = EjectionPlan()
    package var retry = RetryPlan()
    package var hedge: HedgePlan?
    package var timeouts = TimeoutPlan()
    package var headers = HeaderEdits()
    /// Replace `Host` by the endpoint's own address.
    package var rewritesHost = false
    /// HTTP/1.1 upgrades let through, lower case: `websocket`.
    package var upgrades: [String] = []
    package var revisions: [RevisionPlan]

    package init(name: String, routes: [RoutePlan] = [], revisions: [RevisionPlan] = []) {
        self.name = name
        self.routes = routes
        self.revisions = revisions
    }
}

/// A route matches when all of its keys do; nil keys match everything.
package struct RoutePlan: Sendable, Hashable {
    /// Lower case; `*.example.com` matches any name below example.com.
    package var host: String?
    /// `/echo` matches `/echo` and `/echo/…`.
    package var path: String?
    /// Remove `path` from the target before forwarding.
    package var strips = false
    package var header: HeaderMatch?
    /// Matches `/v2/models/{model}/…` and the `model` field of an OpenAI-style body.
    package var model: String?

    package init(
        host: String? = nil, path: String? = nil, strips: Bool = false,
        header: HeaderMatch? = nil, model: String? = nil
    ) {
        self.host = host
        self.path = path
        self.strips = strips
        self.header = header
        self.model = model
    }
}

package struct HeaderMatch: Sendable, Hashable {
    /// Lower case.
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

package enum BalancingAlgorithm: String, Sendable, CaseIterable {
    case roundRobin = "round_robin"
    case leastConnections = "least_connections"
    case ipHash = "ip_hash"
    case randomTwoChoices = "random_two_choices"
    case leastLatency = "least_latency"
}

package struct BalancingPlan: Sendable, Equatable {
    package var algorithm: BalancingAlgorithm = .roundRobin
    /// Time over which a new or recovered endpoint's share grows to its full one; zero is off.
    package var slowStart: Duration = .zero
    package var sticky: StickyPlan?

    package init() {}
}

/// Session affinity, by a cookie the gateway sets or by a header the client sends.
package struct StickyPlan: Sendable, Equatable {
    package enum Key: Sendable, Equatable {
        case cookie(String)
        case header(String)
    }

    package var key: Key
    package var lifetime: Duration

    package init(key: Key, lifetime: Duration = .seconds(3600)) {
        self.key = key
        self.lifetime = lifetime
    }
}

/// How requests are split between revisions.
package struct SplitPlan: Sendable, Equatable {
    package enum Key: Sendable, Equatable {
        case header(String)
        case cookie(String)
        case clientAddress
    }

    /// Keeps one client on one revision; nil assigns each request at random.
    package var key: Key?
    /// Clients may force a revision with `x-penstock-revision`.
    package var allowsOverride = false
    /// Makes the assignment differ from split to split, so that no client is always the canary.
    package var salt: UInt64 = 0

    package init() {}
}

package struct HealthCheckPlan: Sendable, Equatable {
    package enum Probe: Sendable, Equatable {
        case http(path: String)
        case tcp
        /// `GET /v2/health/ready` of the Open Inference Protocol must answer 200.
        case openInference
        /// `grpc.health.v1.Health/Check` must answer SERVING.
        case grpc
    }

    package var probe: Probe
    package var interval: Duration = .seconds(5)
    package var timeout: Duration = .seconds(1)
    package var rise = 2
    package var fall = 3

    package init(probe: Probe) {
        self.probe = probe
    }
}

/// Passive ejection of endpoints that answer badly.
package struct EjectionPlan: Sendable, Equatable {
    /// Consecutive failures that eject; 0 switches ejection off.
    package var failures = 5
    /// First ejection time; grows with each further one.
    package var base: Duration = .seconds(10)
    /// Largest share of a revision's endpoints that may be ejected, 0...1, rounded down.
    package var maxShare = 0.5

    package init() {}
}

package struct RetryPlan: Sendable, Equatable {
    /// Tries in all, the first included.
    package var attempts = 2
    /// Methods that are not idempotent by definition may be sent again, too.
    package var isIdempotent = false
    /// Retries per request over ten seconds, 0...1.
    package var budgetShare = 0.2

    package init() {}
}

/// A second try on another replica when the first answers late; the earlier answer wins and the
/// other try is cancelled (Dean and Barroso, "The Tail at Scale", 2013).
package struct HedgePlan: Sendable, Equatable {
    package enum Delay: Sendable, Equatable {
        /// Later than this share of recent first bytes, above 0 and below 1.
        case quantile(Double)
        case fixed(Duration)
    }

    package var delay: Delay
    /// Hedges per request over ten seconds, 0...1.
    package var budgetShare: Double

    package init(delay: Delay = .quantile(0.95), budgetShare: Double = 0.05) {
        self.delay = delay
        self.budgetShare = budgetShare
    }
}

/// Header edits after the gateway's own; nil removes.
package struct HeaderEdits: Sendable, Equatable {
    package struct Edit: Sendable, Equatable {
        /// Lower case.
        package var name: String
        package var value: String?

        package init(name: String, value: String?) {
            self.name = name
            self.value = value
        }
    }

    package var request: [Edit] = []
    package var response: [Edit] = []

    package init() {}
}

package struct RevisionPlan: Sendable, Equatable {
    package var name: String
    /// Share of the service's requests in thousandths, 0...1000.
    package var weight: Int
    package var endpoints: [EndpointPlan]
    package var wire = UpstreamWire.http1
    /// Nil is cleartext.
    package var tls: UpstreamTLSPlan?
    /// Its endpoints answer in the gateway's own name: their 5xx is no fault of a model.
    package var speaksForGateway = false

    package init(name: String, weight: Int, endpoints: [EndpointPlan]) {
        self.name = name
        self.weight = weight
        self.endpoints = endpoints
    }
}

/// What a revision's replicas are spoken to in.
package enum UpstreamWire: String, Sendable, CaseIterable {
    case http1
    /// With prior knowledge, or over TLS by ALPN.
    case http2 = "h2"
    /// Whichever of the two the endpoint prefers, by ALPN: needs TLS.
    case auto
}

package struct EndpointPlan: Sendable, Equatable {
    package var address: NetworkAddress
    /// Relative share among the revision's endpoints, 1...1000.
    package var weight: Int
    /// Requests this endpoint works on at once; nil is unknown. Switches late binding on.
    package var concurrency: Int?
    /// Takes no new request; those under way end well.
    package var isDrained: Bool

    package init(
        address: NetworkAddress, weight: Int = 1, concurrency: Int? = nil, isDrained: Bool = false
    ) {
        self.address = address
        self.weight = weight
        self.concurrency = concurrency
        self.isDrained = isDrained
    }
}
