// A refused plan says where and what is allowed.

import Testing
import Traffic

@Suite struct TrafficGateTests {
    private static let address = NetworkAddress.tcp(host: "h", port: 1)

    @Test(
        arguments: [
            (.duplicateService("a"), "'a'"), (.noRevision(service: "a"), "services.a.revisions"),
            (.duplicateRevision(service: "a", revision: "r"), "'r'"),
            (.weightsDoNotSum(service: "a", thousandths: 905), "90.5"),
            (.duplicateEndpoint(service: "a", revision: "r", address: address), "h:1 stands twice"),
            (.duplicateListener(address), "gateway.listeners: h:1"),
            (.outOfRange(field: "f", value: "7", allowed: "1 to 5"), "f: 7 is not allowed"),
            (.cannotListen(address: address, reason: "in use"), "h:1: in use"),
        ] as [(TrafficPlanError, String)])
    func `a refusal names the place`(error: TrafficPlanError, part: String) {
        #expect(error.description.contains(part))
    }

    @Test func `a route is shown as it is written`() {
        let route = RoutePlan(
            host: "h", path: "/p", header: HeaderMatch(name: "n", value: "v"), model: "m")
        #expect(route.description == "{ host: h, path: /p, header: \"n: v\", model: m }")
        let error = TrafficPlanError.equalRoutes(service: "a", other: "b", route: route)
        #expect(error.description.contains("'b'"))
    }
}
