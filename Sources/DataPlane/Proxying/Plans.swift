// What the mailbox brings: a new plan, which takes over between two batches while requests of the
// old one end under it, and the end of service.

import Balancing
import HTTPWire
import Reactor
import Synchronization
import Traffic

extension Worker {
    mutating func readMailbox() {
        var messages: [WorkerMessage] = []
        shared.mailbox.drain { messages.append($0) }
        for message in messages {
            switch message {
            case .apply(let plan, let listeners, let ring): apply(plan, listeners, ring)
            case .endpointDown(let endpoint): endpointDown(endpoint)
            case .slotFreed: wantsHeldServed = true
            case .drain(let order): beginDrain(order)
            case .stop: isStopped = true
            }
        }
    }

    // MARK: Plans

    mutating func apply(
        _ plan: CompiledPlan, _ opened: [OpenListener], _ ring: AccessLogRing?
    ) {
        gateway = GatewayRules(plan.plan.gateway)
        requestParser = .init(limits: gateway.wire)
        log = LogSink(ring: ring, sample: plan.plan.gateway.accessLog?.sample ?? 0)
        let old = snapshot
        snapshot = makeSnapshot(plan)
        snapshots.append(snapshot)
        old.it.isCurrent = false
        free(old)
        updateProbes(plan)
        updateListeners(plan.plan.gateway.listeners, opened)
        shared.generation.store(plan.plan.generation, ordering: .releasing)
    }

    private mutating func updateListeners(_ wanted: [ListenerPlan], _ opened: [OpenListener]) {
        if isDraining {
            for listener in opened { Sockets.close(listener.descriptor) }
            return
        }
        for listener in opened { open(listener) }
        var place = 0
        while place < listeners.count {
            let address = listeners[place].plan.address
            if let plan = wanted.first(where: { $0.address == address }) {
                listeners[place].plan = plan
                listeners[place].tls = snapshot.it.plan.certificates[address]
                place += 1
            } else {
                closeListener(at: place)
            }
        }
    }

    private mutating func makeSnapshot(_ plan: CompiledPlan) -> Slot<Snapshot> {
        var services: [Slot<ServiceRuntime>] = []
        for service in plan.services { services.append(makeService(service, plan)) }
        return .make(Snapshot(plan: plan, services: services))
    }

    private mutating func makeService(
        _ service: CompiledService, _ plan: CompiledPlan
    ) -> Slot<ServiceRuntime> {
        var pools: [[Slot<EndpointPool>]] = []
        for endpoints in service.endpoints { pools.append(endpoints.map { pool(of: $0) }) }
        let loop = index
        let revisions = Block<RevisionRuntime>.make(count: service.revisions.count) { revision in
            let record = service.revisions[revision]
            let endpoints = service.endpoints[revision]
            let concurrencies = service.plan.revisions[revision].endpoints.map(\.concurrency)
            return RevisionRuntime(
                name: record.name.bytes, meter: record.meter.handle(loop: loop),
                endpoints: Block<EndpointRuntime>.make(count: endpoints.count) { place in
                    let endpoint = endpoints[place]
                    return EndpointRuntime(
                        handle: endpoint.state.handle, meter: endpoint.meter.handle(loop: loop),
                        pool: pools[revision][place], text: endpoint.text.bytes,
                        hostText: endpoint.hostText.bytes)
                },
                board: service.table.holdBoard(revision: revision),
                hasSlots: concurrencies.contains { $0 != nil },
                speaksHTTP2: service.plan.revisions[revision].wire != .http1,
                speaksForGateway: service.plan.revisions[revision].speaksForGateway)
        }
        let counters = service.record.counters
        return .make(
            ServiceRuntime(
                service: service,
                balancer: ServiceBalancer(table: service.table, seed: random.next()),
                rules: ServiceRules(service, texts: plan.texts), name: service.name.bytes,
                meter: service.record.meter.handle(loop: index),
                retries: counters.counter(ServiceRecord.Cell.retries.rawValue, loop: index),
                retriesRefused: counters.counter(
                    ServiceRecord.Cell.retriesRefused.rawValue, loop: index),
                hedges: counters.counter(ServiceRecord.Cell.hedges.rawValue, loop: index),
                hedgesWon: counters.counter(ServiceRecord.Cell.hedgesWon.rawValue, loop: index),
                revisions: revisions))
    }

    private mutating func pool(of endpoint: CompiledEndpoint) -> Slot<EndpointPool> {
        let key = ObjectIdentifier(endpoint)
        let pool = pools[key] ?? .make(EndpointPool(endpoint: endpoint))
        pools[key] = pool
        pool.it.users += 1
        return pool
    }

    /// An exchange that began under the snapshot has ended.
    mutating func release(_ snapshot: Slot<Snapshot>) {
        snapshot.it.users -= 1
        if snapshot.it.users == 0, !snapshot.it.isCurrent { expired.append(snapshot) }
    }

    /// Called for a plan that has been replaced: it goes with its last request.
    private mutating func free(_ old: Slot<Snapshot>) {
        if old.it.users == 0 { expired.append(old) }
    }

    /// At the end of a batch, when nobody looks into them any more.
    mutating func freeExpired() {
        for snapshot in expired {
            snapshots.removeAll { $0 == snapshot }
            for service in snapshot.it.services {
                for place in 0..<service.it.revisions.count {
                    let endpoints = service.it.revisions[place].it.endpoints
                    for index in 0..<endpoints.count {
                        let pool = endpoints[index].it.pool
                        pool.it.users -= 1
                        retire(pool)
                    }
                    endpoints.free()
                }
                service.it.revisions.free()
                service.it.rules.free()
                service.free()
            }
            snapshot.free()
        }
        expired.removeAll(keepingCapacity: true)
    }

    /// No plan names the endpoint any more: its idle connections go, then the pool.
    private mutating func retire(_ pool: Slot<EndpointPool>) {
        if pool.it.users == 0 { closeIdle(of: pool) }
    }

    /// Held meanwhile: the last connection of a pool without users takes the pool with it.
    mutating func closeIdle(of pool: Slot<EndpointPool>) {
        pool.it.users += 1
        while let idle = pool.it.firstIdle { closeUpstream(idle) }
        closeIdleCarriers(of: pool)
        pool.it.users -= 1
        freeIfUnused(pool)
    }

    mutating func freeIfUnused(_ pool: Slot<EndpointPool>) {
        guard pool.it.users == 0, pool.it.openCount == 0 else { return }
        let key = ObjectIdentifier(pool.it.endpoint)
        guard pools[key] == pool else { return }
        pools[key] = nil
        pool.free()
    }

    // MARK: The end

    private mutating func beginDrain(_ order: DrainOrder) {
        drainDeadline = order.deadline
        guard !isDraining else { return }
        isDraining = true
        drainStarted = loop.now
        drainIdleNanoseconds = order.idleNanoseconds
        while let last = listeners.last {
            let isPassedOn = order.passedOn.contains(last.plan.address)
            closeListener(at: listeners.count - 1, emptiesQueue: !isPassedOn)
        }
        for probe in checks.values { loop.timers.cancel(&probe.it.timer) }
        for pool in pools.values { closeIdle(of: pool) }
        announceDrain()
        loop.timers.set(
            &housekeeping, at: loop.now + drainIdleNanoseconds,
            token: RecordKind.housekeeping.rawValue)
    }

    /// Clients between two requests, once nothing can be on its way to them any more.
    mutating func closeIdleClients() {
        guard loop.now - drainStarted >= drainIdleNanoseconds else { return }
        var next = firstClient
        while let client = next {
            next = client.it.next
            switch client.it.phase {
            case .shakingHands:
                closeClient(client)
            case .awaitingHead, .awaitingProxyHeader:
                if client.it.scanned == 0, client.it.stash.isEmpty { closeIdle(client) }
            case .lingering:
                setTimer(client, after: 1)
            case .multiplexing:
                if let carrier = client.it.carrier, !carrier.it.isEnding { goAway(carrier) }
            case .searchingModel, .exchanging: break
            }
        }
    }

    mutating func endDrainIfDone() {
        if clients.count == 0 {
            isStopped = true
            return
        }
        if loop.now >= drainDeadline {
            shared.cutOff.store(true, ordering: .relaxed)
            isStopped = true
            return
        }
        // Whatever else happens on the loop must not put it off.
        loop.timers.setSooner(
            &housekeeping,
            at: min(
                drainDeadline,
                max(loop.now + 50_000_000, drainStarted + drainIdleNanoseconds)),
            token: RecordKind.housekeeping.rawValue)
    }

    /// Lets go of everything. What is still under way is cut off, visibly.
    mutating func shutDown() {
        while !listeners.isEmpty { closeListener(at: listeners.count - 1) }
        var next = firstClient
        while let client = next {
            next = client.it.next
            if let exchange = client.it.exchange {
                endTry(exchange, outcome: .cancelled)
                conclude(exchange, outcome: .cancelled)
                resetClient(client)
            } else {
                closeClient(client)
            }
        }
        for (key, probe) in checks { endProbe(probe, key) }
        for pool in pools.values { closeIdle(of: pool) }
        loop.endBatch()
        recycle()
        Sockets.close(reserveDescriptor)
    }
}
