// A plan made ready for the loops, once, on the control thread: routes indexed, header lines
// written, endpoints joined with the state and the counters they had before. Immutable.

package import Balancing
import HTTPWire
package import Reactor
import Synchronization
import TLS
package import Traffic

package final class CompiledPlan: Sendable {
    let plan: TrafficPlan
    let routes: RouteTable
    package let services: [CompiledService]
    let texts: PlanTexts
    /// By listener.
    let certificates: [NetworkAddress: TLSServerContext]
    /// Some service lets clients leave HTTP.
    let allowsUpgrades: Bool

    init(
        _ plan: TrafficPlan, _ certificates: Certificates, registry: inout EndpointRegistry,
        stickyKey: StickyKey, now: Int64
    ) {
        self.plan = plan
        self.certificates = certificates.listeners
        texts = PlanTexts(plan)
        allowsUpgrades = plan.services.contains { !$0.upgrades.isEmpty }
        routes = RouteTable(services: plan.services)
        var compiled: [CompiledService] = []
        for service in plan.services {
            compiled.append(
                CompiledService(service, registry: &registry, stickyKey: stickyKey, now: now))
        }
        services = compiled
        registry.adopt(services)
        for service in services { service.secure(certificates) }
    }

    /// A plan without TLS.
    package convenience init(
        _ plan: TrafficPlan, registry: inout EndpointRegistry, stickyKey: StickyKey, now: Int64
    ) {
        self.init(
            plan, Certificates(), registry: &registry, stickyKey: stickyKey, now: now)
    }
}

package final class CompiledService: Sendable {
    package let plan: ServicePlan
    let record: ServiceRecord
    package let budget: RetryBudget
    /// Of hedges; nil where there are none.
    let hedgeBudget: RetryBudget?
    /// In the order of the plan's revisions.
    let revisions: [RevisionRecord]
    /// Per revision, per endpoint, in the order of the plan.
    package let endpoints: [[CompiledEndpoint]]
    let table: BalancingTable
    let name: FrozenBytes
    let upgrades: [FrozenBytes]
    package let requestEdits: CompiledEdits
    package let responseEdits: CompiledEdits

    init(
        _ service: ServicePlan, registry: inout EndpointRegistry, stickyKey: StickyKey, now: Int64
    ) {
        plan = service
        name = FrozenBytes(service.name)
        record = registry.record(of: service.name)
        let known = registry.newest[service.name]
        budget =
            if let known, known.plan.retry.budgetShare == service.retry.budgetShare {
                known.budget
            } else {
                RetryBudget(share: service.retry.budgetShare)
            }
        hedgeBudget =
            if let known, known.plan.hedge?.budgetShare == service.hedge?.budgetShare {
                known.hedgeBudget
            } else {
                service.hedge.map { RetryBudget(share: $0.budgetShare) }
            }
        var revisions: [RevisionRecord] = []
        var endpoints: [[CompiledEndpoint]] = []
        for revision in service.revisions {
            revisions.append(registry.revision(service.name, revision.name))
            var row: [CompiledEndpoint] = []
            for endpoint in revision.endpoints {
                row.append(registry.endpoint(service.name, revision, endpoint.address))
            }
            endpoints.append(row)
        }
        self.revisions = revisions
        self.endpoints = endpoints
        table = BalancingTable(
            service: service, states: endpoints.map { $0.map(\.state) }, key: stickyKey, now: now,
            previous: known?.table)
        upgrades = service.upgrades.map { FrozenBytes($0) }
        requestEdits = CompiledEdits(service.headers.request)
        responseEdits = CompiledEdits(service.headers.response)
    }
}

extension CompiledService {
    /// New connections follow the newest plan's certificates; those that are open go on.
    fileprivate func secure(_ certificates: Certificates) {
        for (revision, endpoints) in zip(plan.revisions, endpoints) {
            let key = Certificates.UpstreamKey(service: plan.name, revision: revision.name)
            for endpoint in endpoints {
                let tls = revision.tls.flatMap { tls in
                    certificates.upstream(key).flatMap {
                        EndpointTLS($0, tls, endpoint.key.address)
                    }
                }
                // The same context keeps the object, and with it the sessions to resume.
                endpoint.secure(tls)
            }
        }
    }
}

/// Header edits as bytes: the lines to add, and the names whose lines go first.
package final class CompiledEdits: Sendable {
    package let lines: FrozenBytes
    /// Lower case.
    package let names: [FrozenBytes]

    init(_ edits: [HeaderEdits.Edit]) {
        let lines = edits.compactMap { edit in
            edit.value.map { "\(edit.name): \($0)\r\n" }
        }
        self.lines = FrozenBytes(lines.joined())
        names = edits.map { FrozenBytes($0.name) }
    }
}

/// What outlives plans for one service.
final class ServiceRecord: Sendable {
    enum Cell: Int, CaseIterable {
        case retries
        case retriesRefused
        case hedges
        case hedgesWon
    }

    let name: String
    /// Requests that ended before a revision was chosen.
    let meter: EndpointMeter
    let counters: SharedCounters

    init(name: String, loops: Int) {
        self.name = name
        meter = EndpointMeter(loops: loops)
        counters = SharedCounters(count: Cell.allCases.count, loops: loops)
    }
}

/// What outlives plans for one revision of a service.
final class RevisionRecord: Sendable {
    let name: FrozenBytes
    /// Requests, however often they were tried.
    let meter: EndpointMeter

    init(name: String, loops: Int) {
        self.name = FrozenBytes(name)
        meter = EndpointMeter(loops: loops)
    }
}

/// What outlives plans for one endpoint of one revision.
package final class CompiledEndpoint: Sendable {
    struct Key: Hashable, Sendable {
        let service: String
        let revision: String
        let address: NetworkAddress
        /// Spoken to otherwise it is another endpoint: its connections are of no use.
        let wire: UpstreamWire
        let tls: UpstreamTLSPlan?
    }

    let key: Key
    /// Nil is cleartext.
    let tls = Lock<EndpointTLS?>(nil)
    package let state = EndpointState()
    /// Tries.
    let meter: EndpointMeter
    /// As in the plan, for the access log.
    let text: FrozenBytes
    /// What `Host` says when it is rewritten.
    package let hostText: FrozenBytes
    package let addresses: Lock<[SocketAddress]>
    /// Changes behind the addresses and the TLS: loops keep copies, and look at this alone.
    let edition = Atomic<Int>(1)
    /// Why the last check failed; empty when it did not.
    let probeError = Lock<String>("")
    /// Which loop probes it.
    package let proberLoop: Int
    /// The name to resolve; nil for numeric and unix addresses.
    package let nameToResolve: String?

    init(key: Key, loops: Int, proberLoop: Int) {
        self.key = key
        self.proberLoop = proberLoop
        meter = EndpointMeter(loops: loops)
        text = FrozenBytes(key.address.description)
        var addresses: [SocketAddress] = []
        switch key.address {
        case .tcp(let host, let port):
            hostText = text
            if let address = SocketAddress(numeric: host, port: port) { addresses = [address] }
            nameToResolve = addresses.isEmpty ? host : nil
        case .unix(let path):
            hostText = FrozenBytes("localhost")
            if let address = SocketAddress(unixPath: path) { addresses = [address] }
            nameToResolve = nil
        }
        self.addresses = Lock(addresses)
    }

    /// As `hostText`, for requests of the gateway's own.
    var hostDescription: String {
        if case .tcp = key.address { return key.address.description }
        return "localhost"
    }

    package func resolve(to found: [SocketAddress]) {
        guard case .tcp(_, let port) = key.address else { return }
        addresses.withLock { $0 = found.map { $0.with(port: port) } }
        edition.wrappingAdd(1, ordering: .releasing)
    }

    fileprivate func secure(_ found: EndpointTLS?) {
        let isNew = tls.withLock { tls in
            if tls?.context === found?.context { return false }
            tls = found
            return true
        }
        if isNew { edition.wrappingAdd(1, ordering: .releasing) }
    }
}

/// Finds the lasting part of an endpoint or service again when the next plan names it.
package struct EndpointRegistry {
    private struct RevisionKey: Hashable {
        let service: String
        let revision: String
    }

    let loops: Int
    private(set) var endpoints: [CompiledEndpoint.Key: CompiledEndpoint] = [:]
    /// The newest plan's services, whose balancing tables the next ones continue.
    private(set) var newest: [String: CompiledService] = [:]
    /// Addresses by name, as the resolver last told them.
    private var resolved: [String: [SocketAddress]] = [:]
    private var services: [String: ServiceRecord] = [:]
    private var revisions: [RevisionKey: RevisionRecord] = [:]
    private var made = 0

    package init(loops: Int) {
        self.loops = loops
    }

    mutating func endpoint(
        _ service: String, _ revision: RevisionPlan, _ address: NetworkAddress
    ) -> CompiledEndpoint {
        let key = CompiledEndpoint.Key(
            service: service, revision: revision.name, address: address, wire: revision.wire,
            tls: revision.tls)
        if let known = endpoints[key] { return known }
        let fresh = CompiledEndpoint(key: key, loops: loops, proberLoop: made % loops)
        // The resolver tells of changes only, and this name may be an old one.
        if let host = fresh.nameToResolve, let known = resolved[host] { fresh.resolve(to: known) }
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

    mutating func revision(_ service: String, _ revision: String) -> RevisionRecord {
        let key = RevisionKey(service: service, revision: revision)
        if let known = revisions[key] { return known }
        let fresh = RevisionRecord(name: revision, loops: loops)
        revisions[key] = fresh
        return fresh
    }

    /// Forgets endpoints and services that the newest plan does not name; loops that still work on
    /// an older plan keep theirs alive.
    mutating func adopt(_ compiled: [CompiledService]) {
        newest = Dictionary(uniqueKeysWithValues: compiled.map { ($0.plan.name, $0) })
        let used = Set(compiled.flatMap { $0.endpoints.flatMap { $0.map(\.key) } })
        endpoints = endpoints.filter { used.contains($0.key) }
        services = services.filter { newest[$0.key] != nil }
        let named = Set(
            compiled.flatMap { service in
                service.plan.revisions.map {
                    RevisionKey(service: service.plan.name, revision: $0.name)
                }
            })
        revisions = revisions.filter { named.contains($0.key) }
        let hosts = Set(endpoints.values.compactMap(\.nameToResolve))
        resolved = resolved.filter { hosts.contains($0.key) }
    }

    /// The addresses of a name, for all who bear it now and later.
    package mutating func resolve(_ host: String, to addresses: [SocketAddress]) {
        resolved[host] = addresses
        for endpoint in endpoints.values where endpoint.nameToResolve == host {
            endpoint.resolve(to: addresses)
        }
    }
}
