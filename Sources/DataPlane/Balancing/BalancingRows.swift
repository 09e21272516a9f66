// The rows of a balancing table: trivial values, so that a request reads them without counting a
// reference. Names and addresses are reduced to keyed hashes here.

import Traffic

/// What a service's plan says about balancing, in numbers.
struct BalancingSettings: Sendable {
    let algorithm: BalancingAlgorithm
    let slowStart: Int64
    let ejection: EjectionPlan
    let splitKey: StickyKey

    init(service: ServicePlan, key: StickyKey) {
        algorithm = service.balancing.algorithm
        slowStart = service.balancing.slowStart.wholeNanoseconds
        ejection = service.ejection
        let name = hash(service.name, key: key)
        splitKey = key.derived(service.split.salt ^ name)
    }
}

struct EndpointRow: Sendable {
    let handle: EndpointHandle
    let tag: UInt64
    /// As planned, 1...1000.
    let weight: Double
    /// One over the weight relative to the revision's mean.
    let inverseShare: Double
    /// Requests at once; `.max` is unknown.
    let concurrency: Int
    let isDrained: Bool

    static func rows(
        _ revision: RevisionPlan, _ states: [EndpointState], _ vacant: EndpointState,
        service: String, key: StickyKey
    ) -> SharedMemory<EndpointRow> {
        let sum = revision.endpoints.reduce(0) { $0 + $1.weight }
        let mean = Double(sum) / Double(max(1, revision.endpoints.count))
        return SharedMemory(count: max(1, states.count)) { index in
            guard index < states.count else {
                return EndpointRow(
                    handle: vacant.handle, tag: 0, weight: 1, inverseShare: 1, concurrency: .max,
                    isDrained: true)
            }
            let plan = revision.endpoints[index]
            // A name and an address cannot contain the separator, so no two endpoints share a text.
            let text = "\(service)\n\(revision.name)\n\(plan.address)"
            return EndpointRow(
                handle: states[index].handle, tag: hash(text, key: key),
                weight: Double(plan.weight), inverseShare: mean / Double(plan.weight),
                concurrency: plan.concurrency ?? .max, isDrained: plan.isDrained)
        }
    }
}

struct RevisionRow: Sendable {
    let endpoints: SharedRecords<EndpointRow>
    let state: RevisionHandle
    let displaced: SharedRecords<SharedInteger>
    /// Endpoints of the plan; `endpoints` has a vacant row when there are none.
    let count: Int
    /// Of them, not drained.
    let candidates: Int
    /// Share in thousandths.
    let weight: Double
    let nameHash: UInt64
    /// Where the revision's round-robin positions begin.
    let firstPosition: Int
    /// Sum of the known concurrencies; 0 when none is.
    let slots: Double

    init(
        plan: RevisionPlan, firstPosition: Int, state: RevisionHandle,
        displaced: SharedRecords<SharedInteger>,
        endpoints: SharedRecords<EndpointRow>, service: String, key: StickyKey
    ) {
        self.endpoints = endpoints
        self.firstPosition = firstPosition
        self.state = state
        self.displaced = displaced
        count = plan.endpoints.count
        candidates = plan.endpoints.count { !$0.isDrained }
        weight = Double(plan.weight)
        nameHash = hash(plan.name, key: key)
        slots = Double(plan.endpoints.reduce(0) { $0 + ($1.concurrency ?? 0) })
    }
}

/// Finds an endpoint by its tag. Sorted by tag.
struct SessionRow: Sendable {
    let tag: UInt64
    let revision: Int32
    let endpoint: Int32

    static func sorted(
        _ endpoints: [SharedRecords<EndpointRow>], _ revisions: SharedRecords<RevisionRow>
    ) -> [SessionRow] {
        var rows: [SessionRow] = []
        for (revision, list) in endpoints.enumerated() where revisions[revision].weight > 0 {
            for index in 0..<revisions[revision].count where !list[index].isDrained {
                rows.append(
                    SessionRow(
                        tag: list[index].tag, revision: Int32(revision), endpoint: Int32(index)))
            }
        }
        return rows.sorted { $0.tag < $1.tag }
    }
}
