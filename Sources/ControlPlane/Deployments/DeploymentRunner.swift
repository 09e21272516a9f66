// Keeps each deployment's replicas alive and the plan true to them: an address enters the plan once
// its replica is proven ready and leaves it before the replica is told to stop. A change that needs
// new processes starts them beside the old ones and switches when all are ready.

package import Logging
package import Replicas
package import Traffic

package actor DeploymentRunner {
    /// What the runner needs of the rest; closures, because it knows no network and no gate.
    package struct Surroundings: Sendable {
        /// Asks a replica once whether it is ready.
        package var probe: @Sendable (ReplicaAddress, _ path: String) async -> Bool
        /// Puts the services into the plan; returns when every loop has it.
        package var publish: @Sendable ([ServicePlan]) async throws -> Void
        /// Requests under way at an address; nil when the gateway no longer knows it.
        package var inFlight: @Sendable (_ service: String, NetworkAddress) async -> Int?
        /// For requests under way, then for the process to end.
        package var drain: Duration
        package var grace: Duration

        package init(
            drain: Duration = .seconds(30), grace: Duration = .seconds(10),
            probe: @escaping @Sendable (ReplicaAddress, _ path: String) async -> Bool,
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

    let runtime: any ReplicaRuntime
    let surroundings: Surroundings
    let logger: Logger
    var fleets: [String: ReplicaFleet] = [:]
    private var publication: Task<Void, Never>?
    private var retirements: [String: Task<Void, Never>] = [:]
    private var isStopping = false
    private var isAdopted = false

    package init(runtime: any ReplicaRuntime, surroundings: Surroundings, logger: Logger) {
        self.runtime = runtime
        self.surroundings = surroundings
        self.logger = logger
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
        await adoptLeftovers(for: specs)
        for spec in specs {
            var fleet = fleets[spec.name] ?? ReplicaFleet(spec: spec)
            let surplus = fleet.adopt(spec) { makeMember($0, spec) }
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

    private func makeMember(_ index: Int, _ spec: FleetSpec) -> ReplicaFleet.Member {
        let probe = surroundings.probe
        let path = spec.healthPath
        let supervisor = ReplicaSupervisor(
            spec: spec.replica(index: index), runtime: runtime, logger: logger,
            isReady: { await probe($0, path) },
            changed: { [weak self] in await self?.changed() })
        return ReplicaFleet.Member(spec: spec, index: index, supervisor: supervisor)
    }

    /// Once, before anything is started: what an earlier Penstock left running goes on if it is
    /// still wanted just so; everything else is ended.
    private func adoptLeftovers(for specs: [FleetSpec]) async {
        guard !isAdopted else { return }
        isAdopted = true
        for leftover in await runtime.leftovers() {
            if await adopt(leftover, for: specs) { continue }
            await runtime.discard(leftover)
            logger.notice(
                leftover.isAlive ? "ended a replica that nobody wants" : "a replica had ended",
                metadata: ["replica": "\(leftover.record.replica)"])
        }
    }

    private func adopt(_ leftover: Leftover, for specs: [FleetSpec]) async -> Bool {
        let record = leftover.record
        guard leftover.isAlive, let spec = specs.first(where: { $0.name == record.deployment }),
            let index = Int(record.replica.dropFirst(spec.name.count + 1)),
            case let replica = spec.replica(index: index), replica.name == record.replica,
            replica.digest == record.specDigest
        else { return false }
        var fleet = fleets[spec.name] ?? ReplicaFleet(spec: spec)
        guard fleet.members.count < spec.replicas else { return false }
        let member = makeMember(index, spec)
        fleet.insert(member)
        fleets[spec.name] = fleet
        await member.supervisor.adopt(leftover)
        return true
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
            var ready: [Int: NetworkAddress] = [:]
            for member in fleet.members {
                let status = await member.supervisor.status()
                guard status.state == .ready, let address = status.address else { continue }
                ready[member.index] = NetworkAddress(address)
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
        let address = await member.supervisor.status().address.map { NetworkAddress($0) }
        await member.supervisor.drain(
            within: surroundings.drain, grace: surroundings.grace)
        await refresh()
        if let address { await requestsEnd(at: address, of: name) }
        await member.supervisor.stop(grace: surroundings.grace)
        fleets[name]?.retired(member)
        retirements[member.supervisor.spec.name] = nil
        logger.info("retired", metadata: ["replica": "\(member.supervisor.spec.name)"])
    }

    private func requestsEnd(at address: NetworkAddress, of name: String) async {
        let deadline = ContinuousClock.now.advanced(by: surroundings.drain)
        while ContinuousClock.now < deadline, !isStopping,
            await surroundings.inFlight(name, address) ?? 0 > 0
        {
            // Cancelled: the deadline holds all the same.
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func stop(grace: Duration) async {
        isStopping = true
        let members = fleets.values.flatMap(\.members)
        await withTaskGroup { group in
            for member in members {
                group.addTask { await member.supervisor.stop(grace: grace) }
            }
        }
        for retirement in retirements.values { await retirement.value }
    }
}

extension NetworkAddress {
    init(_ address: ReplicaAddress) {
        switch address {
        case .unix(let path): self = .unix(path: path)
        case .tcp(let host, let port): self = .tcp(host: host, port: UInt16(clamping: port))
        }
    }
}

package struct DeploymentError: Error, Equatable, CustomStringConvertible {
    package var deployment: String
    package var cause: String

    package var description: String { "deployments: '\(deployment)': \(cause)" }
}
