// What a new plan takes over from the last one, and what it starts anew: state and budgets outlive
// plans, and so do the addresses of names.

import Balancing
import Proxying
import Reactor
import Testing
import Traffic

@Suite struct CompiledPlanTests {
    private let key = StickyKey(bytes: Array(0..<16))

    private func plan(_ endpoints: String..., change: (inout ServicePlan) -> Void = { _ in })
        throws -> TrafficPlan
    {
        let planned = try endpoints.map { EndpointPlan(address: try #require(NetworkAddress($0))) }
        var service = ServicePlan(
            name: "echo", routes: [RoutePlan(path: "/")],
            revisions: [RevisionPlan(name: "stable", weight: 1000, endpoints: planned)])
        change(&service)
        return try TrafficPlan(
            generation: 1, gateway: GatewayPlan(listeners: [], workers: 2), services: [service])
    }

    private func compile(
        _ plan: TrafficPlan, _ registry: inout EndpointRegistry
    ) -> CompiledService {
        CompiledPlan(plan, registry: &registry, stickyKey: key, now: 0).services[0]
    }

    @Test func `an endpoint that is named again keeps its state, one that was gone does not`()
        throws
    {
        var registry = EndpointRegistry(loops: 2)
        let first = compile(try plan("10.0.0.1:1", "10.0.0.2:1"), &registry).endpoints[0]
        let second = compile(try plan("10.0.0.2:1", "10.0.0.3:1"), &registry).endpoints[0]
        #expect(second[0] === first[1] && second[1] !== first[0])
        let third = compile(try plan("10.0.0.1:1"), &registry).endpoints[0]
        #expect(third[0] !== first[0])
    }

    @Test func `a retry budget goes on until its share changes`() throws {
        var registry = EndpointRegistry(loops: 2)
        let first = compile(try plan("10.0.0.1:1"), &registry)
        let same = compile(try plan("10.0.0.2:1"), &registry)
        #expect(same.budget === first.budget)
        let other = compile(try plan("10.0.0.2:1") { $0.retry.budgetShare = 0.5 }, &registry)
        #expect(other.budget !== first.budget)
    }

    @Test func `numbers and sockets are addresses at once, names when they are resolved`() throws {
        var registry = EndpointRegistry(loops: 2)
        let row = compile(
            try plan("10.0.0.1:80", "[::1]:81", "unix:/run/a.sock", "model.test:82"), &registry
        ).endpoints[0]
        #expect(row.map(\.nameToResolve) == [nil, nil, nil, "model.test"])
        #expect(row.map { $0.addresses.withLock { $0.count } } == [1, 1, 1, 0])
        #expect(
            row.map { $0.hostText.bytes.text }
                == ["10.0.0.1:80", "[::1]:81", "localhost", "model.test:82"])

        let found = try #require(SocketAddress(numeric: "10.9.9.9", port: 0))
        registry.resolve("model.test", to: [found, found])
        #expect(row[3].addresses.withLock { $0 } == [found.with(port: 82), found.with(port: 82)])
        #expect(row[0].addresses.withLock { $0.count } == 1)
    }

    @Test func `a new endpoint of a name that is resolved already has its addresses at once`()
        throws
    {
        var registry = EndpointRegistry(loops: 1)
        let found = try #require(SocketAddress(numeric: "10.9.9.9", port: 0))
        _ = compile(try plan("model.test:82"), &registry)
        registry.resolve("model.test", to: [found])
        let next = compile(try plan("model.test:83"), &registry).endpoints[0][0]
        #expect(next.addresses.withLock { $0 } == [found.with(port: 83)])

        _ = compile(try plan("10.0.0.1:1"), &registry)
        let later = compile(try plan("model.test:84"), &registry).endpoints[0][0]
        #expect(later.addresses.withLock { $0 } == [], "nobody watched the name meanwhile")
    }

    @Test func `the loops share the checks`() throws {
        var registry = EndpointRegistry(loops: 2)
        let row = compile(
            try plan("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"), &registry
        ).endpoints[0]
        #expect(row.map(\.proberLoop).sorted() == [0, 0, 1, 1])
    }

    @Test func `header edits are lines to add and names to drop`() throws {
        var registry = EndpointRegistry(loops: 1)
        let service = compile(
            try plan("10.0.0.1:1") {
                $0.headers.request = [
                    .init(name: "x-a", value: "1"), .init(name: "cookie", value: nil),
                    .init(name: "x-b", value: ""),
                ]
            }, &registry)
        #expect(service.requestEdits.lines.bytes.text == "x-a: 1\r\nx-b: \r\n")
        #expect(service.requestEdits.names.map(\.bytes.text) == ["x-a", "cookie", "x-b"])
        #expect(service.responseEdits.lines.bytes.isEmpty)
    }
}
