// A plan made ready for the loops, once, on the control thread: routes indexed, header lines
// written, endpoints joined with the state and the counters they had before. Immutable.

import Balancing
import HTTPWire
import Reactor
import Traffic

final class CompiledPlan: Sendable {
    let plan: TrafficPlan
    let routes: RouteTable
    let services: [CompiledService]

    init(
        _ plan: TrafficPlan, registry: inout EndpointRegistry, stickyKey: StickyKey, now: Int64
    ) {
        self.plan = plan
        routes = RouteTable(services: plan.services)
        services = plan.services.map { service in
            CompiledService(service, registry: &registry, stickyKey: stickyKey, now: now)
        }
        registry.forgetUnused(in: services)
    }
}

final class CompiledService: Sendable {
    let plan: ServicePlan
    let record: ServiceRecord
    /// Per revision, per endpoint, in the order of the plan.
    let endpoints: [[CompiledEndpoint]]
    let table: BalancingTable
    let requestLines: FrozenBytes
    let responseLines: FrozenBytes
    /// Lower-case names that are set or removed, newline after each.
    let requestNames: [FrozenBytes]
    let responseNames: [FrozenBytes]
    let revisionNames: [FrozenBytes]

    init(
        _ service: ServicePlan, registry: inout EndpointRegistry, stickyKey: StickyKey, now: Int64
    ) {
        plan = service
        record = registry.record(of: service.name)
        let endpoints = service.revisions.map { revision in
            revision.endpoints.map { endpoint in
                registry.endpoint(service.name, revision.name, endpoint.address)
            }
        }
        self.endpoints = endpoints
        table = BalancingTable(
            service: service, states: endpoints.map { $0.map(\.state) }, key: stickyKey, now: now)
        requestLines = CompiledService.lines(service.headers.request)
        responseLines = CompiledService.lines(service.headers.response)
        requestNames = service.headers.request.map { FrozenBytes($0.name) }
        responseNames = service.headers.response.map { FrozenBytes($0.name) }
        revisionNames = service.revisions.map { FrozenBytes($0.name) }
    }

    private static func lines(_ edits: [HeaderEdits.Edit]) -> FrozenBytes {
        let lines = edits.compactMap { edit in
            edit.value.map { "\(edit.name): \($0)\r\n" }
        }
        return FrozenBytes(lines.joined())
    }
}

/// What outlives plans for one service.
final class ServiceRecord: Sendable {
    let name: String
    let meter: EndpointMeter
    let budget = RetryBudget()
    let counters: SharedCounters

    enum Cell: Int {
        case retries
        case retriesRefused
        case held
    }

    init(name: String, loops: Int) {
        self.name = name
        meter = EndpointMeter(loops: loops)
        counters = SharedCounters(count: 3, loops: loops)
    }
}

/// What outlives plans for one endpoint of one revision.
final class CompiledEndpoint: Sendable {
    struct Key: Hashable, Sendable {
        let service: String
        let revision: String
        let address: NetworkAddress
    }

    let key: Key
    let state = EndpointState()
    let meter: EndpointMeter
    /// What `Host` says when it is rewritten.
    let hostText: FrozenBytes
    let addresses: Lock<[SocketAddress]>
    let lastError = Lock<String>("")
    /// Which loop probes it.
    let proberLoop: Int

    /// The name to resolve; nil for numeric and unix addresses.
    var nameToResolve: String? {
        if case .tcp(let host, let port) = key.address,
            SocketAddress(numeric: host, port: port) == nil
        {
            return host
        }
        return nil
    }

    init(key: Key, loops: Int, proberLoop: Int) {
        self.key = key
        self.proberLoop = proberLoop
        meter = EndpointMeter(loops: loops)
        var addresses: [SocketAddress] = []
        switch key.address {
        case .tcp(let host, let port):
            hostText = FrozenBytes(key.address.description)
            if let address = SocketAddress(numeric: host, port: port) { addresses = [address] }
        case .unix(let path):
            hostText = FrozenBytes("localhost")
            if let address = SocketAddress(unixPath: path) { addresses = [address] }
        }
        self.addresses = Lock(addresses)
    }

    func resolve(to found: [SocketAddress]) {
        guard case .tcp(_, let port) = key.address else { return }
        addresses.withLock { $0 = found.map { $0.with(port: port) } }
    }
}

/// Finds the lasting part of an endpoint or service again when the next plan names it.
struct EndpointRegistry {
    let loops: Int
    private(set) var endpoints: [CompiledEndpoint.Key: CompiledEndpoint] = [:]
    private(set) var services: [String: ServiceRecord] = [:]
    private var made = 0

    init(loops: Int) {
        self.loops = loops
    }

    mutating func endpoint(
        _ service: String, _ revision: String, _ address: NetworkAddress
    ) -> CompiledEndpoint {
        let key = CompiledEndpoint.Key(service: service, revision: revision, address: address)
        if let known = endpoints[key] { return known }
        let fresh = CompiledEndpoint(key: key, loops: loops, proberLoop: made % loops)
        made += 1
        endpoints[key] = fresh
        return fresh
    }

    mutating func record(of service: String) -> ServiceRecord {
        if let known = services[service] { return known }
        let fresh = ServiceRecord(name: service, loops: loops)
        services[service] = fresh
        return fresh
    }

    /// Endpoints and services that the newest plan does not name; loops that still work on an
    /// older plan keep theirs alive.
    mutating func forgetUnused(in kept: [CompiledService]) {
        let used = Set(kept.flatMap { $0.endpoints.flatMap { $0.map(\.key) } })
        endpoints = endpoints.filter { used.contains($0.key) }
        let names = Set(kept.map(\.plan.name))
        services = services.filter { names.contains($0.key) }
    }
}
