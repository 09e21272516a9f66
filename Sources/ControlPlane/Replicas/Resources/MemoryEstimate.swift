// How much memory several processes use together. Resident sizes are had for nothing and count what
// is shared once for each process; the exact count makes the kernel walk all pages. So it is asked
// for now and then, where sharing can matter, and carried on by the resident sizes between. Pure.

package struct MemoryEstimate: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    private var last: (exact: Int, resident: Int, at: Instant)?

    package init() {}

    package static func == (one: MemoryEstimate, other: MemoryEstimate) -> Bool {
        one.last?.exact == other.last?.exact && one.last?.resident == other.last?.resident
            && one.last?.at == other.last?.at
    }

    /// - Parameters:
    ///   - resident: of all processes, added up.
    ///   - largest: of the largest alone; of one process it is the truth.
    package func wantsExact(resident: Int, largest: Int, at now: Instant) -> Bool {
        guard Self.mayShare(resident, largest) else { return false }
        guard let last else { return true }
        // Many more or fewer than at the last look: what was learned then is no guide any more.
        let isOther = resident > 2 * last.resident || resident < last.resident / 2
        return isOther || now - last.at >= Limits.exactMemoryPeriod
    }

    package mutating func note(exact: Int, resident: Int, at now: Instant) {
        last = exact > 0 && resident > 0 ? (exact, resident, now) : nil
    }

    package func bytes(resident: Int, largest: Int) -> Int {
        guard let last, Self.mayShare(resident, largest) else { return resident }
        let share = Double(last.exact) / Double(last.resident)
        return min(resident, Int(Double(resident) * share))
    }

    /// A shell that waits beside a model server is not worth the walk.
    private static func mayShare(_ resident: Int, _ largest: Int) -> Bool {
        resident - largest > max(Limits.sharedBytes, largest / 8)
    }
}
