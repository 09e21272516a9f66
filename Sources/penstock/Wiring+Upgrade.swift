// SIGUSR2: a new process takes over all that this one has. Until it has proved that it serves,
// nothing changes here but that changes are refused; then it gets the state, then this one drains.
// The other half is in the same order in the new process.

import CLinux
import Deployments
import Foundation
import Logging
import Proxying
import Replicas
import Settings
import State
import Traffic

extension Wiring {
    /// From the signal to a successor in charge, or to things as they were.
    func upgradeInPlace() async -> Upgrade.Outcome {
        let program = Upgrade.program()
        log.notice("upgrading", metadata: ["program": "\(program)"])
        var record = UpgradeRecord(
            state: .underWay, startedAt: Date(),
            from: .init(process: getpid(), version: Version.text))
        keep(record)
        do {
            return try await attempt(program, &record)
        } catch {
            let cause = Wiring.oneLine(error)
            if upgrade.hasGivenUpState { return await recover(from: cause, &record) }
            await keepState()
            record.fail(because: cause)
            keep(record)
            log.error("not upgraded; everything stays as it was", metadata: ["cause": "\(cause)"])
            return .refused
        }
    }

    /// For whoever waits. A full disk must not keep an upgrade from taking place.
    private func keep(_ record: UpgradeRecord) {
        do {
            try record.write(in: store.directory)
        } catch {
            log.warning(
                "upgrade.json is not written",
                metadata: ["cause": "\(error.localizedDescription)"])
        }
    }

    private func attempt(
        _ program: String, _ record: inout UpgradeRecord
    ) async throws -> Upgrade.Outcome {
        guard getpid() != 1 else {
            throw Failure(
                .error, "this is process 1, and the system (or the container) ends with it")
        }
        let successor = try await Successor.start(program)
        upgrade.note(successor.process)
        defer { upgrade.note(nil) }
        do {
            let version = try await successor.expect("said that it is prepared") { message in
                if case .prepared(let version) = message { version } else { nil }
            }
            await upkeep.end()
            await store.suspend()
            try await passOn(to: successor)
            let taken = try await successor.expect("served") { message in
                if case .serving(let taken) = message { taken } else { nil }
            }
            try await giveUpState(to: successor)
            await admin.door.shut()
            record.succeed(by: .init(process: successor.process, version: version))
            tellUpgraded(record)
            // Dead already: from here on that is a crash like any other.
            try? await successor.send(.announced)
            return .succeeded(by: successor.process, passedOn: Set(taken))
        } catch {
            await successor.end()
            throw error
        }
    }

    /// Everything that the successor serves with, by descriptors of its own.
    private func passOn(to successor: Successor) async throws {
        let inheritance = try plane.handOver()
        defer { inheritance.close() }
        try await successor.send(.lock, descriptors: [store.lockDescriptor])
        try await successor.send(
            .admin(address: configuration.admin.listen), descriptors: [admin.door.descriptor])
        if let tickets = inheritance.tickets { try await successor.send(.tickets(tickets)) }
        for listener in inheritance.listeners {
            let message = HandoverMessage.listener(
                address: listener.address, bound: listener.bound)
            for start in stride(from: 0, to: listener.descriptors.count, by: 200) {
                let end = min(start + 200, listener.descriptors.count)
                try await successor.send(
                    message, descriptors: Array(listener.descriptors[start..<end]))
            }
        }
        try await successor.send(.begin)
    }

    /// The point of no return: from here on another process must keep the state and the replicas.
    private func giveUpState(to successor: Successor) async throws {
        if try upgrade.giveUpState() {
            await controller.leave()
            runtime.letGo()
            ProcessRuntime.leaveChildren()
        }
        try await successor.send(.yours)
        _ = try await successor.expect("taken charge", within: .seconds(60)) { message in
            if message == .inCharge { true } else { nil }
        }
    }

    private func tellUpgraded(_ record: UpgradeRecord) {
        guard let to = record.to else { return }
        _ = penstock_notify_main_process(to.process)
        keep(record)
        log.notice(
            "upgraded; draining",
            metadata: [
                "from": "\(record.from.process) \(record.from.version)",
                "to": "\(to.process) \(to.version)",
                "grace": "\(configuration.gateway.timeouts.drain)",
            ])
    }

    private func keepState() async {
        store.resume()
        await upkeep.begin()
    }

    /// The new process has died after this one had let go. Its own program can take over again.
    private func recover(
        from cause: String, _ record: inout UpgradeRecord
    ) async -> Upgrade.Outcome {
        log.error(
            "the new process failed after it had served; this program takes over again",
            metadata: ["cause": "\(cause)"])
        for _ in 0..<3 where !upgrade.isBrokenOff {
            do {
                return try await attempt(Upgrade.itself, &record)
            } catch {
                log.error("that failed, too", metadata: ["cause": "\(Wiring.oneLine(error))"])
            }
        }
        record.fail(because: "\(cause); and nobody keeps the state now: restart when you can")
        keep(record)
        log.critical("nobody keeps the state; traffic is served as before until a restart")
        return .lost
    }

    /// Ends with the last answer; all else is the successor's.
    func leave(to successor: Int32, _ passedOn: Set<NetworkAddress>) async {
        store.passOnLock()
        async let closed: Void = admin.stop(isSucceeded: true)
        let isFinished = await drainPlane(
            configuration.gateway.timeouts.drain, passedOn: passedOn)
        await closed
        if !isFinished { log.warning("the grace is over; requests under way were cut off") }
        log.notice("ended; another process serves", metadata: ["pid": "\(successor)"])
    }

    // MARK: The other half

    /// The data plane serves; the state and the replicas are the predecessor's until it lets go.
    static func takeCharge(
        after predecessor: Predecessor, _ plane: DataPlane, _ store: Store,
        _ runtime: ProcessRuntime, generation: UInt64
    ) async throws {
        try await OwnThread.run { plane.awaitGeneration(generation) }
        try await predecessor.awaitState(serving: plane.takenOver)
        try store.takeOver()
        runtime.takeStock()
    }
}
