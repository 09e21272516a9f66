// What the plan says of a deployment's replicas. Only proven replicas get clients' requests; shares
// follow the number of reachable ones of each revision, so that every replica gets the same and a
// revision whose replicas are all down gets nothing while another can answer.

package import Traffic

package struct FleetRouting: Sendable, Equatable {
    /// A replica to be proved: reachable for the controller alone.
    package struct Candidate: Sendable, Equatable {
        package var replica: String
        package var address: NetworkAddress
    }

    package var revisions: [RevisionPlan]
    package var candidates: [Candidate] = []
    /// The place of each replica that has one.
    package var roles: [String: TrafficRole] = [:]

    /// - Parameter revision: the one wanted; it gets requests when no replica is ready, so that
    ///   there is a revision to refuse them.
    /// - Parameter concurrency: requests one replica works on at once, where known.
    package init(
        _ rows: [ReplicaRow], sightings: [String: ReplicaSighting], revision: Int,
        concurrency: Int? = nil
    ) {
        var endpoints: [Int: [EndpointPlan]] = [:]
        var (ready, reachable): ([Int: Int], [Int: Int]) = ([:], [:])
        for row in rows {
            guard row.role != .absent,
                let address = row.address.flatMap({ NetworkAddress($0) })
            else { continue }
            roles[row.id] = row.role
            if row.phase == .warming {
                candidates.append(Candidate(replica: row.id, address: address))
                continue
            }
            endpoints[row.revision, default: []].append(
                EndpointPlan(
                    address: address, concurrency: concurrency,
                    isDrained: row.role == .drained))
            guard row.role == .serving else { continue }
            ready[row.revision, default: 0] += 1
            guard sightings[row.id]?.isReachable ?? true else { continue }
            reachable[row.revision, default: 0] += 1
        }
        let numbers = Set(endpoints.keys).union([revision]).sorted()
        let shares = reachable.isEmpty ? ready : reachable
        let weights = Self.weights(numbers.map { shares[$0] ?? 0 }, fallback: numbers, revision)
        revisions = zip(numbers, weights).compactMap { number, weight in
            let found = endpoints[number] ?? []
            guard weight > 0 || !found.isEmpty else { return nil }
            return RevisionPlan(name: Self.name(number), weight: weight, endpoints: found)
        }
    }

    /// What a revision is called in plans, metrics and `x-penstock-revision`.
    package static func name(_ revision: Int) -> String { "r\(revision)" }

    /// Thousandths in proportion, 1000 in all: what rounding leaves goes to the largest remainders.
    private static func weights(_ counts: [Int], fallback numbers: [Int], _ revision: Int) -> [Int]
    {
        let total = counts.reduce(0, +)
        guard total > 0 else { return numbers.map { $0 == revision ? 1000 : 0 } }
        var weights = counts.map { $0 * 1000 / total }
        let order = counts.indices.sorted { left, right in
            let (first, second) = (counts[left] * 1000 % total, counts[right] * 1000 % total)
            return first != second ? first > second : left < right
        }
        for index in order.prefix(1000 - weights.reduce(0, +)) { weights[index] += 1 }
        return weights
    }
}
