// The one place that issues plans. It merges the file, the deployments and what the API has set,
// numbers each plan, and hands it to the gate. A change a person asks for is validated, stored,
// applied, awaited: in that order. A change of the world (a reload, a replica that died) is
// applied first, since a full disk must not keep traffic on a dead replica.

package import Foundation
package import Logging
package import State
package import Traffic

package actor TrafficDirector {
    let gate: any TrafficGate
    let store: any TrafficStore
    let logger: Logger
    let now: @Sendable () -> Date
    let patience: Duration

    var sources: TrafficSources?
    /// Managed services that arrived before the first load, and those of replicas to be proved.
    private var waitingManaged: ([ServicePlan], proving: [ServicePlan]) = ([], [])
    /// What is issued, without private services.
    private var plan: TrafficPlan?
    /// Of the last plan issued, whether or not it could be stored.
    var generation: UInt64 = 0
    /// What the world has changed and could not be stored yet.
    private var unstored: (edits: [TrafficEdit], changes: [ChangeRecord]) = ([], [])

    /// `patience` bounds the wait for every loop to confirm a plan.
    package init(
        gate: any TrafficGate, store: any TrafficStore, logger: Logger,
        patience: Duration = .seconds(5), now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.gate = gate
        self.store = store
        self.logger = logger
        self.patience = patience
        self.now = now
    }

    /// Start and reload: the file as it is now, under what the API has set. On an error nothing
    /// has changed.
    package func load(gateway: GatewayPlan, services: [ServicePlan]) throws {
        var next = try sources ?? remembered(gateway: gateway)
        next.gateway = gateway
        next.file = services
        try adopt(next)
    }

    /// The services of deployments, the whole set. On an error nothing has changed.
    ///
    /// - Parameter proving: private services, one for each replica to be proved; nobody is told of
    ///   them, and what is set through the API cannot touch them.
    /// - Returns: the generation of the plan that has them; 0 before the first load.
    @discardableResult
    package func setManaged(
        _ services: [ServicePlan], proving: [ServicePlan] = []
    ) throws -> UInt64 {
        guard var next = sources else {
            waitingManaged = (services, proving)
            return 0
        }
        guard next.managed != services || next.proving != proving else { return generation }
        next.managed = services
        next.proving = proving
        try adopt(next)
        return generation
    }

    /// What the name of every private service begins with; no service of the file may.
    package static let privatePrefix = "~"

    /// The plan last issued, without private services; nil before the first load.
    package func currentPlan() -> TrafficPlan? { plan }

    /// Without private services.
    package func report() -> TrafficReport {
        var report = gate.report()
        report.services.removeAll { $0.name.hasPrefix(Self.privatePrefix) }
        return report
    }

    package func generationInForce() -> UInt64 { gate.generationInForce() }

    /// Whether the file has a service of the name.
    package func isServiceOfFile(_ name: String) -> Bool {
        sources?.file.contains { $0.name == name } ?? false
    }

    /// Which of the current services come from deployments rather than from the file.
    package func managedNames() -> Set<String> { Set(sources?.managed.map(\.name) ?? []) }

    /// The split set through the API, if one is in force.
    package func override(of service: String) -> TrafficOverride? { sources?.overrides[service] }

    private func remembered(gateway: GatewayPlan) throws -> TrafficSources {
        let memory = try store.trafficMemory()
        generation = max(generation, memory.generation)
        var sources = TrafficSources(gateway: gateway)
        (sources.managed, sources.proving) = waitingManaged
        for override in memory.overrides { sources.overrides[override.service] = override }
        for drain in memory.drains {
            let key = TrafficSources.EndpointKey(service: drain.service, address: drain.address)
            sources.drains[key] = drain
        }
        return sources
    }

    /// Applies what the world demands; storing it is tried, not required.
    private func adopt(_ proposed: TrafficSources) throws {
        var next = proposed
        let outdated = next.removeOutdated()
        let issued = try next.plan(generation: generation + 1)
        try gate.apply(issued)
        remember(issued, from: next)
        let records = outdated.map { record($0, as: .outdated, by: "file") }
        for change in records {
            logger.notice(
                "dropped: the file has changed since",
                metadata: ["target": "\(change.target)", "action": "\(change.action)"])
        }
        unstored.edits += outdated
        unstored.changes += records
        do {
            try store.commit(
                TrafficTransition(
                    generation: issued.generation, at: now(), edits: unstored.edits,
                    changes: unstored.changes))
            unstored = ([], [])
        } catch StateError.handingOver {
            logger.debug("plan in force; stored once the state is this process's")
        } catch {
            // Tried again with the next plan; until then only the number may repeat.
            logger.error("plan in force but not stored", metadata: ["error": "\(error)"])
        }
    }

    func remember(_ issued: TrafficPlan, from next: TrafficSources) {
        generation = issued.generation
        plan = issued.isPublic ? issued : next.publicPlan(generation: generation)
        sources = next
    }
}
