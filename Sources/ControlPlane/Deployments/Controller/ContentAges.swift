// How old the content of a revision is: a revision that goes back to another is as old as that one,
// and so is one that says the same. Numbers alone would make every rollback the newest.

struct ContentAges {
    private let revisions: [Int: Revision]
    private let wanted: Int
    private let inForce: Int?

    init(_ entry: DeploymentEntry) {
        revisions = entry.revisions
        wanted = entry.record.revision
        // While the wanted one is still being proven, the last good one is what serves.
        inForce = entry.memory.goodRevisions.last
    }

    /// The number of the first revision with the content of this one.
    func age(of number: Int) -> Int {
        var first = number
        // What a forgotten revision went back to is not known any more; its number is.
        while let origin = revisions[first]?.rollbackOf, origin < first { first = origin }
        guard let digest = revisions[number]?.content.digest else { return first }
        let same = revisions.values.filter { $0.content.digest == digest }.map(\.number)
        return min(first, same.min() ?? first)
    }

    /// Whether it is older than what is wanted, and no newer than what serves.
    func isBack(_ number: Int) -> Bool {
        let age = age(of: number)
        return age < self.age(of: wanted) && (inForce.map { age <= self.age(of: $0) } ?? true)
    }
}
