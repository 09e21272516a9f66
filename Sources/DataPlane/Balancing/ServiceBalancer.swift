// Chooses revision and endpoint for the requests of one service on one loop. What must be exact or
// known to all (load, health, latencies) is in shared records; round-robin positions and the random
// source are the loop's own. A choice counts no reference, takes no lock and allocates nothing.

import Traffic

package struct ServiceBalancer: ~Copyable {
    /// Keeps the records alive that the fields below point into.
    package let table: BalancingTable
    let revisions: SharedRecords<RevisionRow>
    let positions: SharedRecords<RoundRobinPosition>
    private let positionMemory: SharedMemory<RoundRobinPosition>
    let algorithm: BalancingAlgorithm
    let slowStart: Int64
    let ejectionFailures: Int64
    private let splitKey: StickyKey
    var random: RandomSource

    /// Of the last choice: requests in flight on the endpoint, this one included.
    package internal(set) var chosenDepth: Int32 = 0
    /// Of the last choice: no endpoint was usable, so one found down was tried.
    package internal(set) var isPanicking = false
    /// Of the last choice: the session's endpoint was unusable, so the session has a new one.
    package internal(set) var movedSession = false

    package init(table: BalancingTable, seed: UInt64) {
        self.table = table
        revisions = table.revisions
        algorithm = table.settings.algorithm
        slowStart = table.settings.slowStart
        ejectionFailures = Int64(table.settings.ejection.failures)
        splitKey = table.settings.splitKey
        var source = RandomSource(seed: seed)
        positionMemory = RoundRobinPosition.rows(table.revisions, &source)
        positions = positionMemory.records
        random = source
    }

    /// Picks the revision for a request: the override, else by the key's hash, else at random, in
    /// proportion to the weights. If none of the chosen one's endpoints is usable, one that has a
    /// share and a usable endpoint takes its requests: a key always the same. When there is none
    /// either, the chosen one's endpoints are all tried, if it has any.
    ///
    /// - Parameters:
    ///   - key: a hash of the split key; used if `hasKey`.
    ///   - override: a revision's position, or −1.
    package mutating func chooseRevision(
        key: UInt64, hasKey: Bool, override: Int, now: Int64
    ) -> Int {
        if override >= 0 && override < revisions.count { return override }
        if revisions.count == 1 { return 0 }
        let chosen = share(key, hasKey, .all)
        if chosen >= 0, isServing(revision: chosen, now: now) { return chosen }
        let serving = share(key, hasKey, .serving(now))
        if serving >= 0 { return serving }
        if chosen >= 0, revisions[chosen].candidates > 0 { return chosen }
        let other = share(key, hasKey, .populated)
        if other >= 0 { return other }
        for index in 0..<revisions.count where revisions[index].candidates > 0 { return index }
        return max(0, chosen)
    }

    /// Some endpoint of the revision is usable, and not drained.
    package func isServing(revision: Int, now: Int64) -> Bool {
        let row = revisions[revision]
        for index in 0..<row.count where !row.endpoints[index].isDrained {
            if row.endpoints[index].handle.isUsable(now: now) { return true }
        }
        return false
    }

    /// Which revisions are drawn from.
    private enum Field {
        case all, populated
        case serving(Int64)
    }

    private mutating func share(_ key: UInt64, _ hasKey: Bool, _ field: Field) -> Int {
        hasKey ? keyed(key, field) : drawn(field)
    }

    private mutating func drawn(_ field: Field) -> Int {
        var sum = 0.0
        for index in 0..<revisions.count { sum += weight(index, field) }
        var point = random.unit() * sum
        var last = -1
        for index in 0..<revisions.count where weight(index, field) > 0 {
            last = index
            point -= weight(index, field)
            if point < 0 { break }
        }
        return last
    }

    /// Weighted rendezvous over the revisions' names: a revision that grows only takes keys, one
    /// that shrinks only gives them, and with two of them no key ever moves the other way.
    private func keyed(_ key: UInt64, _ field: Field) -> Int {
        var best = -1
        var least = Double.infinity
        for index in 0..<revisions.count where weight(index, field) > 0 {
            let hash = SipHash.hash(key, revisions[index].nameHash, key: splitKey)
            let score = Rendezvous.cost(hash: hash) / weight(index, field)
            if score < least {
                least = score
                best = index
            }
        }
        return best
    }

    private func weight(_ index: Int, _ field: Field) -> Double {
        let isIn =
            switch field {
            case .all: true
            case .populated: revisions[index].candidates > 0
            case .serving(let now): isServing(revision: index, now: now)
            }
        return isIn ? revisions[index].weight : 0
    }
}
