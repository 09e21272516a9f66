// Keeps each deployment's replicas alive and the plan true to them: an address enters the plan once
// its replica is proven ready and leaves it before the replica is told to stop. A change that needs
// new processes starts them beside the old ones and switches when all are ready.

package import Foundation
package import Logging
import Replicas
package import Traffic

package actor DeploymentRunner {
    /// What the runner needs of the rest; closures, because it knows no network and no gate.
    package struct Surroundings: Sendable {
        /// Asks a replica once, at its socket, whether it is ready.
        package var probe: @Sendable (_ socket: String, _ path: String) async -> Bool
        /// Puts the services into the plan; returns when every loop has it.
        package var publish: @Sendable ([ServicePlan]) async throws -> Void
        /// Requests under way at an address; nil when the gateway no longer knows it.
        package var inFlight: @Sendable (_ service: String, NetworkAddress) async -> Int?
        /// For requests under way, then for the process to end.
        package var drain: Duration
        package var grace: Duration

        package init(
            drain: Duration = .seconds(30), grace: Duration = .seconds(10),
            probe: @escaping @Sendable (_ socket: String, _ path: String) async -> Bool,
            publish: @escaping @Sendable ([ServicePlan]) async throws -> Void,
            inFlight: @escaping @Sendable (_ service: String, NetworkAddress) async -> Int?
        ) {
            self.drain = drain
            self.grace = grace
            self.probe = probe
            self.publish = publish
            self.inFlight = inFlight
        }
    }

    let runtime: ProcessRuntime
    let surroundings: Surroundings
    let logger: Logger
    var fleets: [String: ReplicaFleet] = [:]
    private var publication: Task<Void, Never>?
    private var retirements: [String: Task<Void, Never>] = [:]
    private var logKeeper: Task<Void, Never>?
    private var isStopping = false

    /// Ends first what a crashed predecessor left behind.
    package init(state: URL, surroundings: Surroundings, logger: Logger) throws {
        runtime = try ProcessRuntime(state: state)
        self.surroundings = surroundings
        self.logger = logger
        for name in runtime.endLeftovers() {
            logger.warning(
                "ended a replica that a crash left behind", metadata: ["replica": "\(name)"])
        }
    }

    /// Everything that can be known before anything runs.
    package nonisolated func check(_ specs: [FleetSpec]) throws {
        for spec in specs {
            do {
                try runtime.check(spec.replica(index: 999))
            } catch {
                throw DeploymentError(deployment: spec.name, cause: "\(error)")
            }
        }
    }

    /// Makes it so. Deployments that are no longer given keep running: only a prune deletes.
    package func apply(_ specs: [FleetSpec]) async throws {
        try check(specs)
        guard !isStopping else { return }
        keepLogs()
        for spec in specs {
            var fleet = fleets[spec.name] ?? ReplicaFleet(spec: spec)
            let surplus = fleet.adopt(spec) { makeMember(spec.replica(index: $0), spec) }
            fleets[spec.name] = fleet
            retire(surplus, of: spec.name)
            for member in fleet.members { await member.supervisor.start() }
        }
        let given = Set(specs.map(\.name))
        for name in fleets.keys.sorted() where !given.contains(name) {
            logger.notice(
                "not in the file any more; it keeps running until it is pruned or Penstock stops",
                metadata: ["deployment": "\(name)"])
        }
        await refresh()
    }

    /// Ends every replica, each with the grace. The plan is left alone: nobody is served any more.
    package func stop() async {
        await stop(grace: surroundings.grace)
    }

    package func stopAtOnce() async {
        await stop(grace: .zero)
    }

    package func snapshot() async -> [FleetStatus] {
        var statuses: [FleetStatus] = []
        for (name, fleet) in fleets.sorted(by: { $0.key < $1.key }) {
            var replicas: [ReplicaStatus] = []
            for member in fleet.members { replicas.append(await member.supervisor.status()) }
            statuses.append(
                FleetStatus(
                    name: name, version: fleet.spec.version, wanted: fleet.spec.replicas,
                    replicas: replicas))
        }
        return statuses
    }

    private func makeMember(_ replica: ReplicaSpec, _ spec: FleetSpec) -> ReplicaFleet.Member {
        let probe = surroundings.probe
        let path = spec.healthPath
        let supervisor = ReplicaSupervisor(
            spec: replica, runtime: runtime, logger: logger,
            isReady: { await probe($0, path) },
            changed: { [weak self] in await self?.changed() })
        return ReplicaFleet.Member(spec: spec, index: replica.index, supervisor: supervisor)
    }

    private func changed() async {
        guard !isStopping else { return }
        await refresh()
    }

    /// Learns each replica's state, publishes, and retires what a completed switch left over. One
    /// at a time and in order, so that an older plan never follows a newer one.
    private func refresh() async {
        let previous = publication
        let next = Task {
            await previous?.value
            await publishOnce()
        }
        publication = next
        await next.value
    }

    private func publishOnce() async {
        guard !isStopping else { return }
        for (name, fleet) in fleets {
            var ready = Set<Int>()
            for member in fleet.members {
                let state = await member.supervisor.status().state
                if state == .ready { ready.insert(member.index) }
            }
            fleets[name]?.ready = ready
        }
        let superseded = fleets.keys.sorted().map { ($0, fleets[$0]?.takeSuperseded() ?? []) }
        let services = fleets.sorted { $0.key < $1.key }.map { $0.value.service }
        do {
            try await surroundings.publish(services)
        } catch {
            logger.error("managed services are not in the plan", metadata: ["cause": "\(error)"])
        }
        for (name, members) in superseded { retire(members, of: name) }
    }

    /// Members are out of their fleet already: publish that, wait for their requests, stop them.
    private func retire(_ members: [ReplicaFleet.Member], of name: String) {
        for member in members {
            retirements[member.supervisor.spec.name] = Task { await retire(member, of: name) }
        }
    }

    private func retire(_ member: ReplicaFleet.Member, of name: String) async {
        await member.supervisor.drain()
        await refresh()
        await requestsEnd(at: member, of: name)
        await member.supervisor.stop(grace: surroundings.grace)
        fleets[name]?.retired(member)
        retirements[member.supervisor.spec.name] = nil
        logger.info("retired", metadata: ["replica": "\(member.supervisor.spec.name)"])
    }

    private func requestsEnd(at member: ReplicaFleet.Member, of name: String) async {
        let deadline = ContinuousClock.now.advanced(by: surroundings.drain)
        while ContinuousClock.now < deadline, !isStopping,
            await surroundings.inFlight(name, member.address) ?? 0 > 0
        {
            // Cancelled: the deadline holds all the same.
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func stop(grace: Duration) async {
        isStopping = true
        logKeeper?.cancel()
        let members = fleets.values.flatMap(\.members)
        await withTaskGroup { group in
            for member in members {
                group.addTask { await member.supervisor.stop(grace: grace) }
            }
        }
        for retirement in retirements.values { await retirement.value }
    }

    /// Replicas hold their logs open, so size is looked at now and then.
    private func keepLogs() {
        guard logKeeper == nil else { return }
        logKeeper = Task { [weak self] in
            while !Task.isCancelled {
                // Cancelled: the loop's condition ends it.
                try? await Task.sleep(for: .seconds(10))
                guard let fleets = await self?.fleets else { return }
                for member in fleets.values.flatMap(\.members) { member.supervisor.rotateLog() }
            }
        }
    }
}

package struct DeploymentError: Error, Equatable, CustomStringConvertible {
    package var deployment: String
    package var cause: String

    package var description: String { "deployments: '\(deployment)': \(cause)" }
}
