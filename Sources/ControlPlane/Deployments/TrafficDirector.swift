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
    /// Managed services that arrived before the first load.
    private var waitingManaged: [ServicePlan] = []
    private var plan: TrafficPlan?
    /// Of the last plan issued, whether or not it could be stored.
    var generation: UInt64 = 0

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
    package func setManaged(_ services: [ServicePlan]) throws {
        guard var next = sources else {
            waitingManaged = services
            return
        }
        guard next.managed != services else { return }
        next.managed = services
        try adopt(next)
    }

    /// The plan last issued; nil before the first load.
    package func currentPlan() -> TrafficPlan? { plan }

    package func report() -> TrafficReport { gate.report() }

    package func generationInForce() -> UInt64 { gate.generationInForce() }

    /// Which of the current services come from deployments rather than from the file.
    package func managedNames() -> Set<String> { Set(sources?.managed.map(\.name) ?? []) }

    /// The split set through the API, if one is in force.
    package func override(of service: String) -> TrafficOverride? { sources?.overrides[service] }

    private func remembered(gateway: GatewayPlan) throws -> TrafficSources {
        let memory = try store.trafficMemory()
        generation = max(generation, memory.generation)
        var sources = TrafficSources(gateway: gateway)
        sources.managed = waitingManaged
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
        do {
            try store.commit(
                TrafficTransition(
                    generation: issued.generation, at: now(), edits: outdated,
                    changes: records))
        } catch {
            // Outdated edits are found again at the next load; only the number may repeat.
            logger.error("plan in force but not stored", metadata: ["error": "\(error)"])
        }
    }

    func remember(_ issued: TrafficPlan, from next: TrafficSources) {
        generation = issued.generation
        plan = issued
        sources = next
    }
}
