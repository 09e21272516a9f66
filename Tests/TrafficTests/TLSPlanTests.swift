// TLS in plans: what cannot be meant is refused at birth.

import Testing
import Traffic

struct TLSPlanTests {
    private func plan(
        _ tls: ListenerTLSPlan?, _ edit: (inout RevisionPlan) -> Void = { _ in }
    ) throws -> TrafficPlan {
        var listener = ListenerPlan(address: .tcp(host: "127.0.0.1", port: 8443))
        listener.tls = tls
        var revision = RevisionPlan(
            name: "stable", weight: 1000,
            endpoints: [EndpointPlan(address: .tcp(host: "h", port: 1))])
        edit(&revision)
        return try TrafficPlan(
            generation: 1, gateway: GatewayPlan(listeners: [listener], workers: 1),
            services: [ServicePlan(name: "echo", revisions: [revision])])
    }

    @Test func `a listener with TLS has a certificate`() throws {
        let address = NetworkAddress.tcp(host: "127.0.0.1", port: 8443)
        #expect(throws: TrafficPlanError.noCertificate(address)) {
            try plan(ListenerTLSPlan(certificates: []))
        }
        #expect(TrafficPlanError.noCertificate(address).description.contains("127.0.0.1:8443"))
        let files = CertificatePlan(certificate: "a", key: "b")
        #expect(try plan(ListenerTLSPlan(certificates: [files])).gateway.listeners[0].tls != nil)
    }

    @Test func `a protocol agreed on by ALPN needs TLS`() throws {
        #expect(throws: TrafficPlanError.self) { try plan(nil) { $0.wire = .auto } }
        for wire in UpstreamWire.allCases {
            let made = try plan(nil) {
                $0.wire = wire
                $0.tls = UpstreamTLSPlan()
            }
            #expect(made.services[0].revisions[0].wire == wire)
        }
    }

    @Test func `two plans that differ in files alone are not equal`() throws {
        let (one, two) = (
            ListenerTLSPlan(certificates: [.init(certificate: "a", key: "k")]),
            ListenerTLSPlan(certificates: [.init(certificate: "b", key: "k")])
        )
        #expect(try plan(one) != plan(two))
        #expect(try plan(one) == plan(one))
    }
}
