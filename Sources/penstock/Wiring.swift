// Where the planes meet: the only files that see both. It starts everything in the order in which
// it is needed, obeys signals, and ends everything in the reverse order.

import Admin
import CLinux
import Deployments
import Foundation
import Logging
import NIOCore
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
    let plane: DataPlane
    let director: TrafficDirector
    let runtime: ProcessRuntime
    let controller: Controller
    let notices: any Channel
    let admin: AdminPort

    /// Serves until the stream of signals has been obeyed to its end.
    static func serve(_ options: ConfigurationOptions) async throws {
        do {
            let (wishes, continuation) = try Signals.watch()
            let configuration = try options.load()
            let writer = Wiring.startLogging(configuration.log)
            defer { writer.close() }
            var wiring = try await Wiring(options, configuration)
            let welcome = Task { [wiring] in await wiring.welcome() }
            let upkeep = Wiring.startUpkeep(wiring.store)
            await wiring.obey(wishes, continuation) {
                welcome.cancel()
                upkeep.cancel()
            }
            await Wiring.endUpkeep(upkeep, wiring.store)
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.error, "\(error)")
        }
    }

    /// Starts everything; what had been started is ended again when a later part cannot start.
    private init(_ options: ConfigurationOptions, _ read: Configuration) async throws {
        self.options = options
        var configuration = read
        try Wiring.requireDescriptors(workers: configuration.gateway.workers)
        log = Logger(label: "penstock")
        configuration.gateway.limits.connections = Wiring.connections(configuration, log)
        self.configuration = configuration
        store = try Wiring.openState(configuration.statePath)
        plane = try Wiring.makePlane(store, log)
        director = TrafficDirector(
            gate: FirstPlanStarts(plane), store: store, logger: Logger(label: "penstock.traffic"))
        runtime = try ProcessRuntime(
            state: store.directory, options: Wiring.runtimeOptions(configuration.machine))
        controller = Wiring.makeController(store, director, runtime)
        notices = try await Wiring.startNotices(
            at: Wiring.noticePath(runtime)
        ) { [controller] name in await controller.notice(of: name) }
        // What is stored comes first: replicas that live are in the very first plan.
        try await controller.load()
        try await controller.check(configuration.deployments)
        try await director.load(
            gateway: Wiring.withProofs(configuration.gateway, runtime),
            services: configuration.services)
        admin = try await Wiring.startAdmin(
            configuration, store, director,
            AdminMemory(
                control: controller, models: StoredModels(store: store), store: store,
                gatewayURL: { [plane] in Wiring.clientURL(plane.boundAddresses) }))
        // Replicas come last: should a later step fail, nobody would end them.
        writeProcessID()
        await controller.begin()
        try await controller.apply(configuration.deployments)
    }

    private mutating func obey(
        _ wishes: AsyncStream<Signals.Wish>, _ end: AsyncStream<Signals.Wish>.Continuation,
        beforeStopping: () -> Void
    ) async {
        var isStopping = false
        for await wish in wishes {
            switch wish {
            case .stop where isStopping:
                log.warning("stopping at once: asked twice")
                await stopAtOnce()
                end.finish()
            case .stop:
                isStopping = true
                beforeStopping()
                _ = penstock_notify_stopping()
                Task { [self] in
                    await stop()
                    end.finish()
                }
            case .reload where isStopping: log.warning("not reloaded: stopping")
            case .reload: await reload()
            case .upgrade: log.warning("SIGUSR2: the upgrade in place is not supported yet")
            }
        }
    }

    /// Ends in good order: the last answer, then the replicas that gave it.
    private func stop() async {
        let grace = configuration.gateway.timeouts.drain
        log.notice("draining", metadata: ["grace": "\(grace)"])
        await admin.readiness.set("drain", "draining")
        let isFinished = await drainPlane(grace)
        if !isFinished { log.warning("the grace is over; requests under way were cut off") }
        switch configuration.replicasOnExit {
        case .stop: await controller.stop()
        case .keep: await controller.leave()
        }
        await admin.stop()
        removeProcessID()
        log.notice("stopped")
    }

    private func stopAtOnce() async {
        plane.stop()
        if configuration.replicasOnExit == .stop { await controller.stop(atOnce: true) }
        removeProcessID()
    }
}
