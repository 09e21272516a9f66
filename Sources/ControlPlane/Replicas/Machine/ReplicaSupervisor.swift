// Keeps one replica alive: feeds its machine with what happens and performs what the machine asks
// for, until it is told to stop. Whoever owns it is told of every change and reads the status then.

package import Logging

package struct ReplicaStatus: Sendable, Equatable {
    package var name: String
    /// Of the run there is; nil without one.
    package var address: ReplicaAddress?
    package var state: ReplicaState
    package var waitingFor: String
    package var reason: String
    package var restarts: Int
    package var isCrashLooping: Bool
    package var process: Int32?
    package var run: Int?
    package var usage: UsageSample?
    package var enforcement: [ResourceKind: Enforcement]
    /// The end of the output before the last exit.
    package var lastLines: [String]
}

package actor ReplicaSupervisor {
    package nonisolated let spec: ReplicaSpec
    private let runtime: any ReplicaRuntime
    private let isReady: @Sendable (ReplicaAddress) async -> Bool
    private let changed: @Sendable () async -> Void
    private let logger: Logger
    private var machine: ReplicaMachine
    private var run: ReplicaRun?
    private var lastLines: [String] = []
    private var alarm: Task<Void, Never>?
    private var proof: Task<Void, Never>?
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// `isReady` asks the replica once; `changed` hears of every new state.
    package init(
        spec: ReplicaSpec, runtime: any ReplicaRuntime, logger: Logger,
        isReady: @escaping @Sendable (ReplicaAddress) async -> Bool,
        changed: @escaping @Sendable () async -> Void
    ) {
        self.spec = spec
        self.runtime = runtime
        self.logger = logger
        self.isReady = isReady
        self.changed = changed
        machine = ReplicaMachine(seed: .random(in: .min ... .max))
    }

    package func start() async {
        // Nobody waits for the first state: there is always a later one.
        guard machine.state == .reserved else { return }
        await receive(.start)
    }

    /// Instead of a start, a live one of an earlier Penstock; started anew if it is not to be had.
    package func adopt(_ leftover: Leftover) async {
        guard machine.state == .reserved else { return }
        do {
            let adopted = try await runtime.adopt(leftover)
            observe(adopted)
            logger.notice("took over a running replica", metadata: metadata)
            await receive(.adopt)
        } catch {
            logger.warning(
                "a replica cannot be taken over; it is ended and started anew",
                metadata: metadata.merging(["cause": "\(error)"]) { $1 })
            await runtime.discard(leftover)
            await start()
        }
    }

    /// Out of the rotation, but still answering what it has.
    package func drain(within patience: Duration, grace: Duration) async {
        await receive(.drain(until: .now + patience, grace: grace))
    }

    /// SIGTERM, and SIGKILL for all its processes once the grace is over. Returns when it is gone.
    package func stop(grace: Duration) async {
        await receive(.stop(grace: grace))
        guard machine.state != .exited else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    package func status() -> ReplicaStatus {
        ReplicaStatus(
            name: spec.name, address: run?.record.address, state: machine.state,
            waitingFor: machine.waitingFor, reason: machine.reason, restarts: machine.restarts,
            isCrashLooping: machine.isCrashLooping, process: run?.identity?.process,
            run: run?.record.run, usage: run?.usage,
            enforcement: runtime.enforcement(of: spec.resources), lastLines: lastLines)
    }

    private func receive(_ event: ReplicaEvent) async {
        let before = machine.state
        let effects = machine.receive(event, at: .now)
        let metadata = metadata
        if [.failed, .exited].contains(machine.state) { run = nil }
        setAlarm()
        for effect in effects { perform(effect) }
        if machine.state == .exited {
            for caller in waiting { caller.resume() }
            waiting = []
        }
        if machine.state != before { await tell(metadata) }
    }

    /// The metadata are of the run that was, if there is none any more.
    private func tell(_ metadata: Logger.Metadata) async {
        switch machine.state {
        case .ready: logger.info("ready", metadata: metadata)
        case .failed:
            logger.warning(
                "replica ended; it is started again",
                metadata: metadata.merging([
                    "reason": "\(machine.reason)", "waiting_for": "\(machine.waitingFor)",
                    "last_line": "\(lastLines.last ?? "")",
                ]) { $1 })
        default: break
        }
        await changed()
    }

    private func perform(_ effect: ReplicaEffect) {
        switch effect {
        case .spawn: Task { await spawn() }
        case .probe: prove()
        // Without smoke requests, who answers its health check is warm.
        case .warm: Task { await receive(.warmed) }
        // Who owns this reads the state and keeps the plan true to it.
        case .admit, .withdraw: break
        case .stop(let grace): order(grace)
        case .kill: order(.zero)
        case .crashLoop: logger.error("crash loop: the start budget is spent", metadata: metadata)
        }
    }

    private func spawn() async {
        do {
            let started = try await runtime.start(spec)
            observe(started)
            logger.info("started", metadata: metadata)
            await receive(.spawned)
        } catch {
            await receive(.spawnFailed("\(error)"))
        }
    }

    private func observe(_ run: ReplicaRun) {
        self.run = run
        Task { [weak self] in
            let end = await run.end()
            await self?.ended(run, end)
        }
    }

    private func ended(_ ended: ReplicaRun, _ end: ReplicaEnd) async {
        guard run === ended else { return }
        proof?.cancel()
        if let dossier = end.dossier { lastLines = dossier.lastOut + dossier.lastError }
        await receive(.exited(end.cause))
    }

    private func order(_ grace: Duration) {
        proof?.cancel()
        // Without a run it is being started: `spawned` asks again.
        guard let run else { return }
        Task { [runtime] in await runtime.stop(run, grace: grace) }
    }

    /// Some good answers in a row, the first ones quickly: most of the wait is loading.
    private func prove() {
        guard let address = run?.record.address else { return }
        proof = Task { [weak self, isReady] in
            var good = 0
            while !Task.isCancelled, good < Limits.rise {
                good = await isReady(address) ? good + 1 : 0
                if good >= Limits.rise { break }
                // Cancelled: the loop's condition ends it.
                try? await Task.sleep(for: .milliseconds(50))
            }
            if !Task.isCancelled { await self?.receive(.loaded) }
        }
    }

    /// One alarm, for the machine's next deadline.
    private func setAlarm() {
        alarm?.cancel()
        guard let deadline = machine.deadline else { return }
        alarm = Task { [weak self] in
            // Cancelled: another deadline holds.
            guard (try? await Task.sleep(until: deadline)) != nil else { return }
            await self?.receive(.tick)
        }
    }

    /// Without a process there is no number of one.
    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["replica": "\(spec.name)"]
        if let process = run?.identity?.process { metadata["pid"] = "\(process)" }
        return metadata
    }
}
