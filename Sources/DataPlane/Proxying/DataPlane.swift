// The data plane as the rest of the program sees it: takes plans, gives reports, drains. It owns
// the loops' threads, the listening sockets until a loop has them, the resolver and the access log.
// Called from the control plane's threads; the loops never wait for it.

import Balancing
import Reactor
import Synchronization
package import TLS
package import Traffic

package final class DataPlane: TrafficGate, Sendable {
    private struct State {
        var registry: EndpointRegistry
        var plan: CompiledPlan
        var certificates: Certificates
        var workers: [WorkerShared]
        var threads: [LoopThread]
        var listeners: ListenerSet
        var log: AccessLogWriter?
        var logDropped: UInt64 = 0
        let resolver: NameResolver
        let counters: SharedCounters
        let connections: ConnectionCount
        let ended: Latch
    }

    private let options: DataPlaneOptions
    private let passed: [PassedListener]
    /// Outlive plans: a reload makes no client shake hands anew.
    let tickets: TLSTicketKeys
    private let state = Lock<State?>(nil)

    /// - Parameter inheritance: of a process that is succeeded; its descriptors are this one's now.
    package init(options: DataPlaneOptions, inheritance: Inheritance = Inheritance()) {
        self.options = options
        passed = inheritance.listeners
        tickets =
            inheritance.tickets.map { TLSTicketKeys($0) } ?? TLSTicketKeys(now: Clock.now())
    }

    /// Opens the plan's listeners and starts one loop per worker. To be called once.
    ///
    /// - Throws: `TrafficPlanError.cannotListen`, or `.outOfRange` when the system refuses what a
    ///   loop needs; nothing is left behind then.
    package func start(_ plan: TrafficPlan) throws(TrafficPlanError) {
        let fresh = try begin(plan)
        state.withLock { $0 = fresh }
        // Only now: what the resolver finds at once must find this state.
        watchNames(fresh)
    }

    private func begin(_ plan: TrafficPlan) throws(TrafficPlanError) -> State {
        let loops = plan.gateway.workers
        var registry = EndpointRegistry(loops: loops)
        let certificates = try certificates(of: plan, previous: Certificates())
        let compiled = CompiledPlan(
            plan, certificates, registry: &registry, stickyKey: options.key, now: Clock.now())
        var listeners = ListenerSet(loops: loops, passed: passed)
        let opened = try listeners.open(plan.gateway.listeners)
        listeners.closeUnwanted()
        let counters = SharedCounters(count: LoopCounter.cells, loops: loops)
        let connections = ConnectionCount(limit: plan.gateway.limits.connections)
        do {
            let log = try openLog(plan.gateway.accessLog, loops: loops)
            let state = State(
                registry: registry, plan: compiled, certificates: certificates,
                workers: try makeWorkers(loops, counters, connections), threads: [],
                listeners: listeners, log: log, resolver: try makeResolver(),
                counters: counters, connections: connections, ended: Latch(count: loops))
            return try launch(state, opened)
        } catch let error as TrafficPlanError {
            listeners.close(opened)
            throw error
        } catch {
            listeners.close(opened)
            throw .outOfRange(
                field: "gateway.workers", value: "\(loops) (\(error))",
                allowed: "as many as the system has descriptors for")
        }
    }

    private func certificates(
        of plan: TrafficPlan, previous: Certificates
    ) throws(TrafficPlanError) -> Certificates {
        try Certificates(
            plan, previous: previous, tickets: tickets, algorithms: options.algorithms,
            wall: Clock.wallMilliseconds() / 1000)
    }

    private func makeWorkers(
        _ loops: Int, _ counters: SharedCounters, _ connections: ConnectionCount
    ) throws(SystemError) -> [WorkerShared] {
        let pending = PendingCount()
        // Differs from start to start; nothing that must be secret depends on it.
        let seed = UInt64(bitPattern: Clock.now()) ^ UInt64(bitPattern: Clock.wallMilliseconds())
        var workers: [WorkerShared] = []
        for index in 0..<loops {
            workers.append(
                try WorkerShared(
                    index: index, counters: counters, options: options, connections: connections,
                    pending: pending, tickets: tickets, seed: seed))
        }
        for worker in workers { worker.peers.withLock { $0 = workers.map(\.mailbox) } }
        return workers
    }

    private func makeResolver() throws(SystemError) -> NameResolver {
        try NameResolver(
            onChange: { [weak self] host, addresses in
                self?.state.withLock { $0?.registry.resolve(host, to: addresses) }
            },
            onFailure: { [options] host, reason in
                options.log(.error("cannot resolve \(host): \(reason)"))
            })
    }

    /// The loops get their listeners only when all of them have started.
    private func launch(
        _ state: consuming State, _ opened: [[OpenListener]]
    ) throws(SystemError) -> State {
        let started = Latch(count: state.workers.count)
        for (index, shared) in state.workers.enumerated() {
            let plan = state.plan
            let ended = state.ended
            state.threads.append(
                LoopThread.start(name: "loop-\(index)") {
                    DataPlane.run(shared, plan, started: started)
                    ended.arrive()
                })
        }
        started.wait()
        if let failure = state.workers.lazy.compactMap({ $0.startFailure.withLock { $0 } }).first {
            for worker in state.workers { worker.mailbox.post(.stop) }
            for thread in state.threads { thread.join() }
            throw failure
        }
        for (index, shared) in state.workers.enumerated() {
            shared.mailbox.post(.apply(state.plan, opened[index], state.log?.ring(loop: index)))
        }
        return state
    }

    private static func run(_ shared: WorkerShared, _ plan: CompiledPlan, started: Latch) {
        do {
            let loop = try EventLoop(channelLimit: Limits.records, index: shared.index)
            try loop.poller.addLevelTriggered(
                shared.mailbox.doorbell, token: Worker.doorbellToken)
            var worker = Worker(index: shared.index, shared: shared, plan: plan, loop: loop)
            started.arrive()
            worker.run()
        } catch {
            shared.startFailure.withLock { $0 = error }
            started.arrive()
        }
    }

    private func watchNames(_ state: State) {
        let names = state.plan.services.flatMap { service in
            service.endpoints.flatMap { $0.compactMap(\.nameToResolve) }
        }
        state.resolver.watch(Set(names))
    }

    // MARK: TrafficGate

    package func apply(_ plan: TrafficPlan) throws(TrafficPlanError) {
        try state.withLock { state throws(TrafficPlanError) in
            guard var now = state else { return }
            try replace(&now, by: plan)
            state = now
        }
    }

    /// Everything that can fail comes first; then the loops are told.
    private func replace(_ state: inout State, by plan: TrafficPlan) throws(TrafficPlanError) {
        let loops = state.workers.count
        let certificates = try certificates(of: plan, previous: state.certificates)
        var listeners = state.listeners
        let opened = try listeners.open(plan.gateway.listeners)
        var log = state.log
        if plan.gateway.accessLog?.path != state.plan.plan.gateway.accessLog?.path {
            do {
                log = try openLog(plan.gateway.accessLog, loops: loops)
            } catch {
                listeners.close(opened)
                throw error
            }
        }
        state.plan = CompiledPlan(
            plan, certificates, registry: &state.registry, stickyKey: options.key, now: Clock.now())
        state.certificates = certificates
        state.listeners = listeners
        if let old = state.log, old !== log {
            state.logDropped += old.dropped
            // Its rings may be written to until the loops have the new plan.
            retire(old, after: plan.generation, state.workers)
        }
        state.log = log
        state.connections.setLimit(plan.gateway.limits.connections)
        for (index, worker) in state.workers.enumerated() {
            worker.mailbox.post(.apply(state.plan, opened[index], log?.ring(loop: index)))
        }
        watchNames(state)
    }

    private func retire(
        _ log: AccessLogWriter, after generation: UInt64, _ workers: [WorkerShared]
    ) {
        _ = LoopThread.start(name: "log-retire") {
            for worker in workers { worker.awaitGeneration(generation) }
            log.close()
        }
    }

    package func generationInForce() -> UInt64 {
        state.withLock { state in
            state?.workers.map { $0.generation.load(ordering: .acquiring) }.min() ?? 0
        }
    }

    package func report() -> TrafficReport {
        state.withLock { state in
            guard let state else { return TrafficReport() }
            var report = ReportMaker(
                plan: state.plan, workers: state.workers, counters: state.counters
            ).make(now: Clock.now())
            report.gateway.accessLogDropped = state.logDropped + (state.log?.dropped ?? 0)
            return report
        }
    }

    // MARK: The end

    /// Takes no new connection and lets requests under way end, for at most `grace`. Calls back on
    /// a thread of its own with false when some had to be cut off.
    ///
    /// - Parameter passedOn: listeners that a successor has taken; nil when there is none.
    package func drain(
        grace: Duration, passedOn: Set<NetworkAddress>? = nil,
        whenDone: @escaping @Sendable (Bool) -> Void
    ) {
        let (workers, ended) = state.withLock { state in
            // Now, not at the end: by then a successor may listen on the same path.
            state?.listeners.removeFiles(passedOn: passedOn ?? [])
            return (state?.workers ?? [], state?.ended)
        }
        let order = DrainOrder(
            deadline: Clock.now() + max(0, grace.wholeNanoseconds),
            idleNanoseconds: passedOn == nil
                ? Limits.drainIdleNanoseconds : Limits.succeededIdleNanoseconds,
            passedOn: passedOn ?? [])
        for worker in workers { worker.mailbox.post(.drain(order)) }
        _ = LoopThread.start(name: "drain") { [self] in
            ended?.wait()
            tidyUp()
            whenDone(!workers.contains { $0.cutOff.load(ordering: .relaxed) })
        }
    }

    /// Ends at once: what is under way is cut off.
    package func stop() {
        let ended = state.withLock { state in
            for worker in state?.workers ?? [] { worker.mailbox.post(.stop) }
            return state?.ended
        }
        ended?.wait()
        tidyUp()
    }

    private func tidyUp() {
        state.withLock { $0?.listeners.removeFiles() }
        // Joined without the lock: the resolver may just be waiting for it to tell what it found.
        guard let now = state.withLock({ $0 }) else { return }
        for thread in now.threads { thread.join() }
        now.resolver.stop()
        now.log?.close()
    }

    // MARK: Log and addresses

    private func openLog(
        _ plan: AccessLogPlan?, loops: Int
    ) throws(TrafficPlanError) -> AccessLogWriter? {
        guard let plan else { return nil }
        do {
            return try AccessLogWriter(path: plan.path, loops: loops) { [options] text in
                options.log(.error(text))
            }
        } catch {
            throw .outOfRange(
                field: "gateway.access_log.path", value: "\(plan.path) (\(error))",
                allowed: "a file that can be appended to, or -")
        }
    }

    /// After the file has been moved away by a log rotation.
    package func reopenAccessLog() {
        state.withLock { $0?.log?.reopen() }
    }

    func duplicateListeners() throws(SystemError) -> [PassedListener] {
        try state.withLock { state throws(SystemError) in
            try state?.listeners.duplicates() ?? []
        }
    }

    /// Listeners taken over from another process, as that calls them.
    package var takenOver: [NetworkAddress] { state.withLock { $0?.listeners.taken ?? [] } }

    /// Where clients can connect, with the ports that the system chose for port 0.
    package var boundAddresses: [NetworkAddress] {
        state.withLock { $0?.listeners.boundAddresses ?? [] }
    }
}

package struct DataPlaneOptions: Sendable {
    let key: StickyKey
    let algorithms: TLSAlgorithms
    let log: @Sendable (LogLine) -> Void

    /// - Parameters:
    ///   - stickyKey: sixteen secret bytes.
    ///   - algorithms: of TLS, to clients and to replicas.
    package init(
        stickyKey: [UInt8], algorithms: TLSAlgorithms = .standard,
        log: @escaping @Sendable (LogLine) -> Void
    ) {
        key = StickyKey(bytes: stickyKey)
        self.algorithms = algorithms
        self.log = log
    }
}

/// Something that the program's own log should say.
package struct LogLine: Sendable {
    package let text: String
    package let isError: Bool

    static func info(_ text: String) -> LogLine { LogLine(text: text, isError: false) }
    static func error(_ text: String) -> LogLine { LogLine(text: text, isError: true) }
}
