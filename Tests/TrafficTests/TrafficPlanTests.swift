// A plan is valid at birth or not born: each rule has its refusal, and a refused number names its
// field.

import Testing
import Traffic

@Suite struct TrafficPlanTests {
    private func service(_ name: String = "a", routes: [RoutePlan] = []) -> ServicePlan {
        ServicePlan(
            name: name, routes: routes,
            revisions: [
                RevisionPlan(
                    name: "stable", weight: 1000,
                    endpoints: [EndpointPlan(address: .tcp(host: "h", port: 1))])
            ])
    }

    private func refusal(
        _ services: [ServicePlan], gateway: GatewayPlan = GatewayPlan(listeners: [], workers: 1)
    ) -> TrafficPlanError? {
        do throws(TrafficPlanError) {
            _ = try TrafficPlan(generation: 1, gateway: gateway, services: services)
            return nil
        } catch {
            return error
        }
    }

    private func refusal(changing change: (inout ServicePlan) -> Void) -> TrafficPlanError? {
        var service = service()
        change(&service)
        return refusal([service])
    }

    private func refusal(changing change: (inout GatewayPlan) -> Void) -> TrafficPlanError? {
        var gateway = GatewayPlan(listeners: [], workers: 1)
        change(&gateway)
        return refusal([], gateway: gateway)
    }

    @Test func `a sound plan is accepted, also an empty one`() {
        #expect(refusal([service("a"), service("b")]) == nil)
        #expect(refusal([]) == nil)
    }

    @Test func `names are unique`() {
        #expect(refusal([service("a"), service("a")]) == .duplicateService("a"))
        let revision = refusal { $0.revisions += $0.revisions }
        #expect(revision == .duplicateRevision(service: "a", revision: "stable"))
        let endpoint = refusal { $0.revisions[0].endpoints += $0.revisions[0].endpoints }
        let address = NetworkAddress.tcp(host: "h", port: 1)
        #expect(
            endpoint == .duplicateEndpoint(service: "a", revision: "stable", address: address))
    }

    @Test func `listeners are unique`() {
        let listener = ListenerPlan(address: .unix(path: "/a"))
        let refused = refusal { (gateway: inout GatewayPlan) in
            gateway.listeners = [listener, listener]
        }
        #expect(refused == .duplicateListener(.unix(path: "/a")))
    }

    @Test func `weights sum to a thousand`() {
        #expect(refusal { $0.revisions = [] } == .noRevision(service: "a"))
        let refused = refusal { $0.revisions[0].weight = 999 }
        #expect(refused == .weightsDoNotSum(service: "a", thousandths: 999))
        #expect(refused?.description.contains("99.9") == true)
    }

    @Test func `equal routes are refused, whatever they strip`() {
        let route = RoutePlan(path: "/x", model: "m")
        var stripping = route
        stripping.strips = true
        let refused = refusal([service("a", routes: [route]), service("b", routes: [stripping])])
        #expect(refused == .equalRoutes(service: "b", other: "a", route: stripping))
        let other = RoutePlan(path: "/x", model: "n")
        #expect(refusal([service("a", routes: [route]), service("b", routes: [other])]) == nil)
    }

    static let services: [(String, @Sendable (inout ServicePlan) -> Void)] = [
        ("revisions.stable.weight", { $0.revisions[0].weight = 1001 }),
        ("revisions.stable.weight", { $0.revisions[0].weight = -1 }),
        ("endpoints.weight", { $0.revisions[0].endpoints[0].weight = 0 }),
        ("endpoints.concurrency", { $0.revisions[0].endpoints[0].concurrency = 0 }),
        ("retry.attempts", { $0.retry.attempts = 0 }),
        ("retry.budget", { $0.retry.budgetShare = 1.1 }),
        ("retry.budget", { $0.retry.budgetShare = .nan }),
        ("ejection.failures", { $0.ejection.failures = -1 }),
        ("ejection.max", { $0.ejection.maxShare = -0.1 }),
        ("health.rise", { $0.health = HealthCheckPlan(probe: .tcp, rise: 0) }),
        ("health.fall", { $0.health = HealthCheckPlan(probe: .tcp, fall: 101) }),
        ("health.interval", { $0.health = HealthCheckPlan(probe: .tcp, interval: .zero) }),
    ]

    @Test(arguments: services.indices)
    func `a number out of range names its field`(row: Int) {
        let (field, change) = Self.services[row]
        let refused = refusal(changing: change)
        guard case .outOfRange(let named, _, let allowed)? = refused else {
            Issue.record("\(field) was accepted")
            return
        }
        #expect(named.hasPrefix("services.a.") && named.contains(field))
        #expect(refused?.description.contains(allowed) == true)
    }

    static let gateways: [(String, @Sendable (inout GatewayPlan) -> Void)] = [
        ("gateway.workers", { $0.workers = 0 }),
        ("gateway.limits.connections", { $0.limits.connections = 0 }),
        ("gateway.limits.request_head", { $0.limits.requestHeadBytes = 1023 }),
        ("gateway.limits.headers", { $0.limits.headers = 1001 }),
        ("gateway.limits.pending", { $0.limits.pending = -1 }),
        ("gateway.limits.replay", { $0.limits.replayBytes = 1 << 30 }),
    ]

    @Test(arguments: gateways.indices)
    func `a gateway's number out of range names its field`(row: Int) {
        let (field, change) = Self.gateways[row]
        guard case .outOfRange(let named, _, _)? = refusal(changing: change) else {
            Issue.record("\(field) was accepted")
            return
        }
        #expect(named == field)
    }
}

extension HealthCheckPlan {
    fileprivate init(
        probe: Probe, interval: Duration = .seconds(5), rise: Int = 2, fall: Int = 3
    ) {
        self.init(probe: probe)
        self.interval = interval
        self.rise = rise
        self.fall = fall
    }
}
