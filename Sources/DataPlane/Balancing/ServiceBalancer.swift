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
    /// proportion to the weights. Another one only if the chosen has no endpoint to try.
    ///
    /// - Parameters:
    ///   - key: a hash of the split key; used if `hasKey`.
    ///   - override: a revision's position, or −1.
    package mutating func chooseRevision(key: UInt64, hasKey: Bool, override: Int) -> Int {
        if override >= 0 && override < revisions.count { return override }
        if revisions.count == 1 { return 0 }
        let chosen = hasKey ? keyed(key, populated: false) : drawn(populated: false)
        if chosen >= 0 && revisions[chosen].candidates > 0 { return chosen }
        let other = hasKey ? keyed(key, populated: true) : drawn(populated: true)
        if other >= 0 { return other }
        for index in 0..<revisions.count where revisions[index].candidates > 0 { return index }
        return max(0, chosen)
    }

    private mutating func drawn(populated: Bool) -> Int {
        var sum = 0.0
        for index in 0..<revisions.count { sum += share(index, populated) }
        var point = random.unit() * sum
        var last = -1
        for index in 0..<revisions.count where share(index, populated) > 0 {
            last = index
            point -= share(index, populated)
            if point < 0 { break }
        }
        return last
    }

    /// Weighted rendezvous over the revisions' names: a revision that grows only takes keys, one
    /// that shrinks only gives them, and with two of them no key ever moves the other way.
    private func keyed(_ key: UInt64, populated: Bool) -> Int {
        var best = -1
        var least = Double.infinity
        for index in 0..<revisions.count where share(index, populated) > 0 {
            let hash = SipHash.hash(key, revisions[index].nameHash, key: splitKey)
            let score = Rendezvous.cost(hash: hash) / share(index, populated)
            if score < least {
                least = score
                best = index
            }
        }
        return best
    }

    private func share(_ index: Int, _ populated: Bool) -> Double {
        populated && revisions[index].candidates == 0 ? 0 : revisions[index].weight
    }
}
