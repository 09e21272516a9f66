// Where the planes meet: the only files that see both. It starts everything in the order in which
// it is needed, obeys signals, and ends everything in the reverse order.

import Admin
import CLinux
import Deployments
import Foundation
import Logging
import Proxying
import Replicas
import Settings
import State
import Traffic

struct Wiring {
    let options: ConfigurationOptions
    var configuration: Configuration
    let log: Logger
    let store: Store
    let upkeep: Upkeep
    let plane: DataPlane
    let director: TrafficDirector
    let runtime: ProcessRuntime
    let controller: Controller
    let admin: AdminPort
    let predecessor: Predecessor?
    let upgrade = Upgrade()

    /// Serves until the stream of signals has been obeyed to its end.
    static func serve(_ options: ConfigurationOptions) async throws {
        let predecessor = Predecessor.find()
        do {
            let (wishes, continuation) = try Signals.watch()
            let configuration = try options.load()
            let writer = Wiring.startLogging(configuration.log)
            defer { writer.close() }
            var wiring = try await Wiring(options, configuration, predecessor)
            let welcome = Task { [wiring] in await wiring.welcome() }
            let memory = Wiring.keepMemorySmall()
            defer { memory.cancel() }
            await wiring.upkeep.begin()
            let forgetting = Task { [wiring] in await wiring.forgetOutput() }
            await wiring.obey(wishes, continuation) {
                welcome.cancel()
                forgetting.cancel()
            }
            await wiring.upkeep.close()
        } catch {
            let failure = error as? Failure ?? Failure(.error, "\(error)")
            predecessor?.tell(failure: oneLine(failure))
            throw failure
        }
    }

    /// Starts everything; what had been started is ended again when a later part cannot start.
    /// After a predecessor, the data plane serves before that has let go of anything.
    private init(
        _ options: ConfigurationOptions, _ read: Configuration, _ predecessor: Predecessor?
    ) async throws {
        self.options = options
        self.predecessor = predecessor
        var configuration = read
        try Wiring.requireDescriptors(workers: configuration.gateway.workers)
        log = Logger(label: "penstock")
        configuration.gateway.limits.connections = Wiring.connections(configuration, log)
        self.configuration = configuration
        let passed = try await predecessor?.receive()
        store = try await Wiring.openState(configuration.statePath, passed)
        if predecessor == nil { UpgradeRecord.settle(in: store.directory) }
        upkeep = Upkeep(store)
        plane = try Wiring.makePlane(store, log, passed?.inheritance ?? Inheritance())
        director = TrafficDirector(
            gate: FirstPlanStarts(plane), store: store, logger: Logger(label: "penstock.traffic"))
        runtime = try ProcessRuntime(
            state: store.directory, options: Wiring.runtimeOptions(configuration.machine),
            waits: passed != nil)
        controller = Wiring.makeController(store, director, runtime)
        if predecessor == nil { try await Wiring.startNotices(runtime, controller) }
        // What is stored comes first: replicas that live are in the very first plan.
        try await controller.load()
        try await controller.check(configuration.deployments)
        let gateway = Wiring.withProofs(configuration.gateway, runtime)
        try await director.load(gateway: gateway, services: configuration.services)
        if let predecessor {
            try await Wiring.takeCharge(
                after: predecessor, plane, store, runtime,
                generation: await director.currentPlan()?.generation ?? 0)
            try await Wiring.startNotices(runtime, controller)
            try await director.load(gateway: gateway, services: configuration.services)
        }
        admin = try await Wiring.startAdmin(
            configuration, store, director,
            AdminMemory(
                control: controller, models: StoredModels(store: store), store: store,
                gatewayURL: { [plane] in Wiring.clientURL(plane.boundAddresses) }), passed)
        // Replicas come last: should a later step fail, nobody would end them.
        writeProcessID()
        await controller.begin()
        try await controller.apply(configuration.deployments)
        await predecessor?.tellInCharge()
    }

    private mutating func obey(
        _ wishes: AsyncStream<Signals.Wish>, _ end: AsyncStream<Signals.Wish>.Continuation,
        beforeStopping: () -> Void
    ) async {
        var stage = Stage.serving
        for await wish in wishes {
            switch (wish, stage) {
            case (.stop, .serving):
                stage = .stopping
                beforeStopping()
                stopInOrder(end)
            case (.stop, .upgrading(let isToStop)) where !isToStop:
                stage = .upgrading(isToStop: true)
                upgrade.breakOff()
            case (.stop, .succeeded):
                // Whoever asks again does not want to wait for the last answers.
                stage = .stopping
            case (.stop, _):
                log.warning("stopping at once: asked twice")
                upgrade.passOnStop()
                await stopAtOnce()
                end.finish()
            case (.reload, .serving): await reload()
            case (.reload, _): log.warning("not reloaded: \(stage.text)")
            case (.upgrade, .serving):
                stage = .upgrading(isToStop: false)
                Task { [self] in end.yield(.upgraded(await upgradeInPlace())) }
            case (.upgrade, _): log.warning("not upgraded: \(stage.text)")
            case (.upgraded(let outcome), _):
                stage = conclude(outcome, stage, end, beforeStopping)
            }
        }
    }

    private func stopInOrder(_ end: AsyncStream<Signals.Wish>.Continuation) {
        _ = penstock_notify_stopping()
        Task { [self] in
            await upkeep.cancel()
            await stop()
            end.finish()
        }
    }

    /// What an upgrade that was under way leads to.
    private func conclude(
        _ outcome: Upgrade.Outcome, _ stage: Stage,
        _ end: AsyncStream<Signals.Wish>.Continuation, _ beforeStopping: () -> Void
    ) -> Stage {
        let isToStop = if case .upgrading(isToStop: true) = stage { true } else { false }
        if case .succeeded(let successor, let passedOn) = outcome {
            beforeStopping()
            if isToStop { Upgrade.stop(successor) }
            Task { [self] in
                await leave(to: successor, passedOn)
                end.finish()
            }
            return .succeeded
        }
        guard isToStop else { return .serving }
        beforeStopping()
        stopInOrder(end)
        return .stopping
    }

    /// Ends in good order: the last answer, then the replicas that gave it.
    private func stop() async {
        let grace = configuration.gateway.timeouts.drain
        log.notice("draining", metadata: ["grace": "\(grace)"])
        await admin.readiness.set("drain", "draining")
        let begun = ContinuousClock.now
        let isFinished = await drainPlane(grace)
        if !isFinished { log.warning("the grace is over; requests under way were cut off") }
        // It may still be answering, and from these replicas.
        await predecessor?.awaitEnd(within: max(.zero, grace - (ContinuousClock.now - begun)))
        switch configuration.replicasOnExit {
        // Replicas that have been let go of are not this process's to stop.
        case .stop where !upgrade.hasGivenUpState: await controller.stop()
        case .stop, .keep: await controller.leave()
        }
        await admin.stop()
        removeTraces()
        log.notice("stopped")
    }

    private func stopAtOnce() async {
        plane.stop()
        if configuration.replicasOnExit == .stop, !upgrade.hasGivenUpState {
            await controller.stop(atOnce: true)
        }
        removeTraces()
    }
}

/// How far a process is on its way from a start to an end.
private enum Stage {
    case serving
    case upgrading(isToStop: Bool)
    /// Another process has taken over; the last answers are given here.
    case succeeded
    case stopping

    var text: String {
        switch self {
        case .serving: "serving"
        case .upgrading: "an upgrade is under way"
        case .succeeded: "another process has taken over"
        case .stopping: "stopping"
        }
    }
}
