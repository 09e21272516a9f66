// A plan as one loop works with it: everything a request needs, as trivial values behind pointers.
// The loop counts who uses a snapshot; the last request of an old plan frees it.

import Balancing
import HTTPWire
import Reactor
import Traffic

struct Snapshot: ~Copyable {
    /// Keeps alive what the records below point into.
    let plan: CompiledPlan
    let routes: RouteLookup
    let services: [Slot<ServiceRuntime>]
    /// Exchanges that were begun under it.
    var users = 0
    var isCurrent = true

    init(plan: CompiledPlan, services: [Slot<ServiceRuntime>]) {
        self.plan = plan
        self.services = services
        routes = plan.routes.lookup
    }
}

/// One service on one loop.
struct ServiceRuntime: ~Copyable {
    let service: CompiledService
    var balancer: ServiceBalancer
    let rules: ServiceRules
    let name: Bytes
    /// Requests that ended before a revision was chosen.
    let meter: MeterHandle
    let retries: SharedCounter
    let retriesRefused: SharedCounter
    let hedges: SharedCounter
    let hedgesWon: SharedCounter
    let revisions: Block<RevisionRuntime>
}

/// One revision on one loop, with the requests that wait there for a slot.
struct RevisionRuntime: ~Copyable {
    let name: Bytes
    let meter: MeterHandle
    let endpoints: Block<EndpointRuntime>
    let board: HoldBoard
    /// Some endpoint's concurrency is known: requests may be held.
    let hasSlots: Bool
    let speaksHTTP2: Bool
    /// Its answers are the gateway's own words.
    let speaksForGateway: Bool
    /// How long first bytes take, for hedging; this loop's view.
    var lateness = QuantileEstimate()
    var firstHeld: Slot<Exchange>?
    var lastHeld: Slot<Exchange>?
    var heldCount = 0
}

/// One endpoint on one loop.
struct EndpointRuntime {
    let handle: EndpointHandle
    let meter: MeterHandle
    let pool: Slot<EndpointPool>
    let text: Bytes
    let hostText: Bytes
}

/// What a service's plan says, in the units of the loop. Times are nanoseconds, 0 is none.
struct ServiceRules {
    enum Source {
        case none
        case header(Bytes)
        case cookie(Bytes)
        case clientAddress
    }

    let requestIdle: Int64
    let responseIdle: Int64
    let connect: Int64
    let firstByte: Int64
    let streamIdle: Int64
    let total: Int64
    let attempts: UInt8
    let isIdempotent: Bool
    let budget: RetryBudgetHandle
    let hedge: HedgeRule?
    let splitKey: Source
    let allowsOverride: Bool
    let sticky: Source
    let stickyLifetimeSeconds: Int64
    let needsClientHash: Bool
    let rewritesHost: Bool
    /// Protocols that clients may leave HTTP for, lower case.
    let upgrades: Block<Bytes>
    let requestLines: Bytes
    let requestNames: Block<Bytes>
    let responseLines: Bytes
    let responseNames: Block<Bytes>

    init(_ service: CompiledService, texts: PlanTexts) {
        let plan = service.plan
        requestIdle = plan.timeouts.requestIdle.wholeNanoseconds
        responseIdle = plan.timeouts.responseIdle.wholeNanoseconds
        connect = plan.timeouts.connect.wholeNanoseconds
        firstByte = plan.timeouts.firstByte.wholeNanoseconds
        streamIdle = plan.timeouts.streamIdle.wholeNanoseconds
        total = plan.timeouts.total.wholeNanoseconds
        attempts = UInt8(clamping: plan.retry.attempts)
        isIdempotent = plan.retry.isIdempotent
        budget = service.budget.handle
        hedge = HedgeRule(service)
        splitKey =
            switch plan.split.key {
            case nil: .none
            case .header(let name): .header(texts.bytes(of: name.lowercased()))
            case .cookie(let name): .cookie(texts.bytes(of: name))
            case .clientAddress: .clientAddress
            }
        allowsOverride = plan.split.allowsOverride
        sticky =
            switch plan.balancing.sticky?.key {
            case nil: .none
            case .header(let name): .header(texts.bytes(of: name.lowercased()))
            case .cookie(let name): .cookie(texts.bytes(of: name))
            }
        stickyLifetimeSeconds = plan.balancing.sticky?.lifetime.components.seconds ?? 0
        var needsClientHash = plan.balancing.algorithm == .ipHash
        if case .clientAddress = splitKey { needsClientHash = true }
        self.needsClientHash = needsClientHash
        rewritesHost = plan.rewritesHost
        let upgrades = service.upgrades
        self.upgrades = Block.make(count: upgrades.count) { upgrades[$0].bytes }
        requestLines = service.requestEdits.lines.bytes
        responseLines = service.responseEdits.lines.bytes
        let requestEdits = service.requestEdits.names
        requestNames = Block.make(count: requestEdits.count) { requestEdits[$0].bytes }
        let responseEdits = service.responseEdits.names
        responseNames = Block.make(count: responseEdits.count) { responseEdits[$0].bytes }
    }

    func free() {
        upgrades.free()
        requestNames.free()
        responseNames.free()
    }
}

/// Texts of a plan that the loops read as bytes; made on the control thread, kept by the plan.
final class PlanTexts: Sendable {
    private let texts: [String: FrozenBytes]

    init(_ plan: TrafficPlan) {
        var texts: [String: FrozenBytes] = [:]
        func keep(_ text: String) {
            if texts[text] == nil { texts[text] = FrozenBytes(text) }
        }
        for service in plan.services {
            switch service.split.key {
            case .header(let name): keep(name.lowercased())
            case .cookie(let name): keep(name)
            case .clientAddress, nil: break
            }
            switch service.balancing.sticky?.key {
            case .header(let name): keep(name.lowercased())
            case .cookie(let name): keep(name)
            case nil: break
            }
        }
        self.texts = texts
    }

    /// Empty for a text that the plan does not have.
    func bytes(of text: String) -> Bytes { texts[text]?.bytes ?? .empty }
}
