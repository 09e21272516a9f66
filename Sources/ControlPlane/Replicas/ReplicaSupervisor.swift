// Keeps one replica alive: starts it, has it proved, hears of its end, waits, starts it again,
// until it is told to stop. Whoever owns it is told of every change and reads the status then.

import Glibc
package import Logging

package struct ReplicaStatus: Sendable, Equatable {
    package var name: String
    package var address: String
    package var state: ReplicaState
    package var waitingFor: String
    package var reason: String
    package var restarts: Int
    package var isCrashLooping: Bool
    package var process: Int32?
    /// The end of the output before the last exit.
    package var lastLines: [String]
}

package actor ReplicaSupervisor {
    package nonisolated let spec: ReplicaSpec
    package nonisolated let socket: String
    private let runtime: ProcessRuntime
    private let isReady: @Sendable (_ socket: String) async -> Bool
    private let changed: @Sendable () async -> Void
    private let logger: Logger
    private var machine = ReplicaMachine()
    private var process: ReplicaProcess?
    private var lastLines: [String] = []
    private var life: Task<Void, Never>?

    /// `isReady` asks the replica once; `changed` hears of every new state.
    package init(
        spec: ReplicaSpec, runtime: ProcessRuntime, logger: Logger,
        isReady: @escaping @Sendable (_ socket: String) async -> Bool,
        changed: @escaping @Sendable () async -> Void
    ) {
        self.spec = spec
        self.runtime = runtime
        self.logger = logger
        self.isReady = isReady
        self.changed = changed
        socket = runtime.files.socket(spec.name)
    }

    package func start() {
        guard life == nil, !machine.isEnding else { return }
        life = Task { await live() }
    }

    /// Out of the rotation, but still answering what it has.
    package func drain() {
        machine.draining()
    }

    /// SIGTERM, and SIGKILL for the whole group once the grace is over. Returns when it is gone.
    package func stop(grace: Duration) async {
        machine.stopping()
        life?.cancel()
        let process = process
        process?.signal(grace > .zero ? SIGTERM : SIGKILL)
        let killer = Task {
            try await Task.sleep(for: grace)
            process?.signal(SIGKILL)
        }
        await life?.value
        killer.cancel()
        machine.exited()
    }

    package func status() -> ReplicaStatus {
        ReplicaStatus(
            name: spec.name, address: "unix:\(socket)", state: machine.state,
            waitingFor: machine.waitingFor, reason: machine.reason, restarts: machine.restarts,
            isCrashLooping: machine.isCrashLooping, process: process?.identifier,
            lastLines: lastLines)
    }

    package nonisolated func rotateLog() {
        ReplicaLog(path: runtime.files.log(spec.name)).rotateIfLarge()
    }

    private func live() async {
        while !machine.isEnding {
            let pause = await liveOnce()
            guard !machine.isEnding else { break }
            // Cancelled: told to stop, and the loop's condition sees it.
            try? await Task.sleep(for: pause)
        }
    }

    /// One process from start to end; the pause before the next.
    private func liveOnce() async -> Duration {
        machine.spawning(at: .now)
        let process: ReplicaProcess
        do {
            process = try runtime.spawn(spec)
        } catch {
            let pause = failed("\(error)", process: nil)
            await changed()
            return pause
        }
        self.process = process
        machine.spawned()
        logger.info("started", metadata: metadata(process.identifier))
        await changed()
        let proof = Task { await prove(process) }
        let exit = await process.exit()
        proof.cancel()
        self.process = nil
        runtime.forget(spec)
        lastLines = ReplicaLog(path: runtime.files.log(spec.name)).lastLines()
        guard !machine.isEnding else { return .zero }
        let pause = failed(exit.description, process: process.identifier)
        await changed()
        return pause
    }

    private func failed(_ reason: String, process: Int32?) -> Duration {
        let pause = machine.ended(reason, at: .now, chance: .random(in: 0..<1))
        logger.warning(
            "replica ended; it is started again",
            metadata: metadata(process).merging([
                "reason": "\(machine.reason)", "pause": "\(pause)",
                "last_line": "\(lastLines.last ?? "")",
            ]) { $1 })
        return pause
    }

    private func prove(_ process: ReplicaProcess) async {
        let deadline = ContinuousClock.now.advanced(by: Limits.loading)
        var good = 0
        while !Task.isCancelled, machine.state == .loading {
            good = await isReady(socket) ? good + 1 : 0
            if good >= Limits.rise, !Task.isCancelled, machine.state == .loading {
                machine.proved(at: .now)
                logger.info("ready", metadata: metadata(process.identifier))
                await changed()
                return
            }
            if ContinuousClock.now > deadline {
                logger.error(
                    "not ready in \(Limits.loading); ended",
                    metadata: metadata(process.identifier))
                process.signal(SIGKILL)
                return
            }
            // Cancelled: the process ended, and the loop's condition sees it.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Nil: there was no process.
    private func metadata(_ process: Int32?) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["replica": "\(spec.name)"]
        if let process { metadata["pid"] = "\(process)" }
        return metadata
    }
}
