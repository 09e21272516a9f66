// The replicas of one deployment, of one generation or, during a switch, of two. Says which are
// missing, which are too many, and what the plan should hold. No I/O; the runner does that.

import Replicas
import Traffic

struct ReplicaFleet: Sendable {
    struct Member: Sendable {
        var spec: FleetSpec
        var index: Int
        var supervisor: ReplicaSupervisor
    }

    private(set) var spec: FleetSpec
    private(set) var members: [Member] = []
    /// Where those answer that are proven ready, by index.
    var ready: [Int: NetworkAddress] = [:]

    /// Indices whose sockets are in use until their members are gone.
    private var retiring = Set<Int>()

    init(spec: FleetSpec) {
        self.spec = spec
    }

    /// Takes the new spec, adds the members it misses, and gives up those nobody needs any more.
    /// Older members stay until `takeSuperseded`.
    mutating func adopt(_ next: FleetSpec, make: (Int) -> Member) -> [Member] {
        spec = next
        var surplus: [Member] = []
        let current = members.filter(isCurrent).sorted { $0.index < $1.index }
        if current.count > next.replicas {
            surplus = Array(current.dropFirst(next.replicas))
            remove(surplus)
        }
        for _ in current.count..<max(current.count, next.replicas) {
            members.append(make(freeIndex))
        }
        return surplus
    }

    /// A member that runs already, of an earlier Penstock.
    mutating func insert(_ member: Member) {
        members.append(member)
    }

    /// Members of an older generation, removed, once the current one is wholly ready.
    mutating func takeSuperseded() -> [Member] {
        guard isSwitched else { return [] }
        let superseded = members.filter { !isCurrent($0) }
        remove(superseded)
        return superseded
    }

    /// The member's process has ended; its index is free again.
    mutating func retired(_ member: Member) {
        retiring.remove(member.index)
    }

    private mutating func remove(_ surplus: [Member]) {
        let indices = Set(surplus.map(\.index))
        members.removeAll { indices.contains($0.index) }
        retiring.formUnion(indices)
    }

    /// What the plan should hold: the old generation until the new one is wholly ready, or serves
    /// more than the old one can.
    var service: ServicePlan {
        let current = members.filter { isCurrent($0) && ready[$0.index] != nil }
        let older = members.filter { !isCurrent($0) && ready[$0.index] != nil }
        let serving = isSwitched || older.isEmpty ? current : older
        var service = spec.service
        service.revisions = [
            RevisionPlan(
                name: serving.first?.spec.version ?? spec.version, weight: 1000,
                endpoints: serving.compactMap { member in
                    ready[member.index].map {
                        EndpointPlan(address: $0, concurrency: member.spec.concurrency)
                    }
                })
        ]
        return service
    }

    private var isSwitched: Bool {
        members.count { isCurrent($0) && ready[$0.index] != nil } >= spec.replicas
    }

    private func isCurrent(_ member: Member) -> Bool { member.spec.runsTheSame(as: spec) }

    private var freeIndex: Int {
        let taken = retiring.union(members.map(\.index))
        return (0...taken.count).first { !taken.contains($0) } ?? taken.count
    }
}
