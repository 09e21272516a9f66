// One run: Poisson arrivals, log-normal service (coefficient of variation 1), replicas that serve
// as many requests as they have slots and queue the rest in order. Time is simulated; the choices
// are the module's own.

import Traffic

final class Simulation {
    private let scenario: Scenario
    private var random: RandomSource
    private var events = EventQueue()
    private var arrived: [Double] = []
    private var sent: [Double] = []
    private var depth: [Int32] = []
    private var busy: [Int]
    private var queues: [[Int32]]
    private var heads: [Int]
    private var held: [Int32] = []
    private var firstHeld = 0
    private let tables: [BalancingTable]
    private let states: [[[EndpointState]]]
    private var latencies: [Double] = []
    private(set) var errors = 0
    private(set) var answered = 0

    init(_ scenario: Scenario) {
        self.scenario = scenario
        random = RandomSource(seed: scenario.seed)
        busy = [Int](repeating: 0, count: scenario.replicas)
        queues = [[Int32]](repeating: [], count: scenario.replicas)
        heads = busy
        let plan = Simulation.plan(scenario)
        var views = 1
        if case .policy(_, let count, _) = scenario.chooser { views = count }
        let states = (0..<views).map { _ in
            plan.revisions.map { $0.endpoints.map { _ in EndpointState() } }
        }
        self.states = states
        let key = StickyKey(bytes: Array(0..<16))
        tables = states.map { BalancingTable(service: plan, states: $0, key: key, now: 0) }
    }

    private static func plan(_ scenario: Scenario) -> ServicePlan {
        var concurrency: Int?
        var algorithm = BalancingAlgorithm.leastConnections
        if case .policy(let chosen, _, let bindsLate) = scenario.chooser {
            algorithm = chosen
            concurrency = bindsLate ? scenario.slots : nil
        }
        let endpoints = (0..<scenario.replicas).map {
            EndpointPlan(
                address: .tcp(host: "replica", port: UInt16($0 + 1)), concurrency: concurrency)
        }
        var plan = ServicePlan(
            name: "fleet",
            revisions: [RevisionPlan(name: "one", weight: 1000, endpoints: endpoints)]
        )
        plan.balancing.algorithm = algorithm
        plan.ejection.failures = 0
        return plan
    }

    /// The 99th percentile of latency over the mean service time.
    func run() -> Double {
        var balancers = Balancers(tables, seed: scenario.seed)
        var time = 0.0
        for request in 0..<Int32(scenario.requests) {
            time += -Logarithms.ln(1 - random.unit()) / scenario.arrivalRate
            arrived.append(time)
            sent.append(time)
            depth.append(0)
            events.add(time, request: request, replica: -1)
        }
        while let event = events.next() {
            if event.replica >= 0 { finish(event, &balancers) } else { arrive(event, &balancers) }
        }
        latencies.sort()
        return latencies[latencies.count * 99 / 100] / scenario.service
    }

    // MARK: - Events

    private func arrive(_ event: EventQueue.Event, _ balancers: inout Balancers) {
        let replica = choose(event.request, event.time, isHeld: false, &balancers)
        if replica >= 0 {
            send(event.request, to: replica, event.time)
        } else {
            held.append(event.request)
            tellBoard()
        }
    }

    private func finish(_ event: EventQueue.Event, _ balancers: inout Balancers) {
        let replica = Int(event.replica)
        let fails = scenario.fails(replica)
        if Int(event.request) >= scenario.warmUp {
            answered += 1
            errors += fails ? 1 : 0
            latencies.append(event.time - arrived[Int(event.request)])
        }
        if !fails { startNext(on: replica, event.time) }
        learn(event, fails, &balancers)
        while firstHeld < held.count {
            let next = choose(held[firstHeld], event.time, isHeld: true, &balancers)
            guard next >= 0 else { return }
            firstHeld += 1
            tellBoard()
            send(held[firstHeld - 1], to: next, event.time)
        }
    }

    private func learn(
        _ event: EventQueue.Event, _ fails: Bool, _ balancers: inout Balancers
    ) {
        guard scenario.chooser != .central else { return }
        let request = Int(event.request)
        let view = request % tables.count
        tables[view].handle(revision: 0, endpoint: Int(event.replica)).end()
        let result = TryResult(
            outcome: fails ? .model : .success,
            latencyNanoseconds: Int64(event.time - sent[request]), depth: depth[request])
        balancers.finished(view, event.replica, result, Int64(event.time))
    }

    // MARK: - Replicas

    private func send(_ request: Int32, to replica: Int, _ time: Double) {
        sent[Int(request)] = time
        if scenario.fails(replica) {
            events.add(time + 0.001 * scenario.service, request: request, replica: Int32(replica))
        } else if busy[replica] < scenario.slots {
            busy[replica] += 1
            start(request, on: replica, time)
        } else {
            queues[replica].append(request)
        }
    }

    private func start(_ request: Int32, on replica: Int, _ time: Double) {
        // Log-normal with mean and deviation 1: sigma² = ln 2. Drawn from the request's number, so
        // that every policy meets the same requests.
        var own = RandomSource(seed: scenario.seed &* 1_000_003 &+ UInt64(request))
        var normal = -6.0
        for _ in 0..<12 { normal += own.unit() }
        let length = Logarithms.exp(normal * 0.832_554_611 - 0.346_573_590)
        let slowness = scenario.slowness(replica, at: time)
        events.add(
            time + length * slowness * scenario.service, request: request, replica: Int32(replica))
    }

    private func startNext(on replica: Int, _ time: Double) {
        guard heads[replica] < queues[replica].count else {
            busy[replica] -= 1
            return
        }
        heads[replica] += 1
        start(queues[replica][heads[replica] - 1], on: replica, time)
    }

    // MARK: - Choices

    private func choose(
        _ request: Int32, _ time: Double, isHeld: Bool, _ balancers: inout Balancers
    ) -> Int {
        if scenario.chooser == .central {
            return isHeld || held.count == firstHeld ? freest(time) : -1
        }
        let view = Int(request) % tables.count
        let (replica, depth) = balancers.choose(view, isHeld: isHeld, Int64(time))
        self.depth[Int(request)] = depth
        return replica
    }

    /// The quickest replica with a free slot, the least busy of equals; −1 when there is none.
    private func freest(_ time: Double) -> Int {
        var best = -1
        var least = Double.infinity
        for replica in 0..<scenario.replicas
        where busy[replica] < scenario.slots && !scenario.fails(replica) {
            let cost = scenario.slowness(replica, at: time) * 1000 + Double(busy[replica])
            if cost < least {
                least = cost
                best = replica
            }
        }
        return best
    }

    private func tellBoard() {
        guard scenario.chooser != .central else { return }
        let oldest = firstHeld < held.count ? Int64(arrived[Int(held[firstHeld])]) : .max
        tables[0].holdBoard(revision: 0).set(
            loop: 0, waiting: held.count - firstHeld, oldestArrival: oldest)
    }
}
