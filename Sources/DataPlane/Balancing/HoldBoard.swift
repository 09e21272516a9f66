// Who waits for a slot. Each loop keeps its own waiters in order of arrival and writes here how
// many they are and since when the first waits; a loop that frees a slot reads which loop to wake.
//
// A loop that holds a request first calls `set`, then asks `choose` once more: a slot may have been
// freed before the board showed the waiter. A woken loop serves its waiters until `choose` answers
// `.hold` or none is left; in the latter case it passes the wake on to `nextLoop()`.

package struct HoldBoard: Sendable {
    private let totals: SharedRecords<HoldTotals>
    private let lines: SharedRecords<HoldLine>

    init(totals: SharedRecords<HoldTotals>, lines: SharedRecords<HoldLine>) {
        self.totals = totals
        self.lines = lines
    }

    /// Requests held, over all loops.
    package var waiting: Int { Int(totals.it.waiting.value) }

    /// States how many requests a loop holds and when the first of them arrived.
    package func set(loop: Int, waiting: Int, oldestArrival: Int64) {
        // Loops past the bound of a plan's `workers` do not exist.
        guard loop < lines.count else { return }
        lines[loop].oldestArrival.value = waiting > 0 ? oldestArrival : .max
        let before = lines[loop].waiting.value
        lines[loop].waiting.value = Int64(waiting)
        totals.it.waiting.add(Int64(waiting) - before)
        var bound = totals.it.loops.value
        while bound <= loop && !totals.it.loops.replace(bound, by: Int64(loop) + 1) {
            bound = totals.it.loops.value
        }
    }

    /// The loop whose first waiter has waited longest; nil when nothing waits.
    package func nextLoop() -> Int? {
        guard totals.it.waiting.value > 0 else { return nil }
        var oldest = Int64.max
        var next: Int?
        for loop in 0..<Int(totals.it.loops.value) {
            let arrival = lines[loop].oldestArrival.value
            if arrival < oldest {
                oldest = arrival
                next = loop
            }
        }
        return next
    }
}

/// One loop's line, written by that loop alone.
struct HoldLine: ~Copyable {
    let oldestArrival = SharedInteger(.max)
    let waiting = SharedInteger(0)
}

struct HoldTotals: ~Copyable {
    let waiting = SharedInteger(0)
    /// One more than the highest loop seen.
    let loops = SharedInteger(0)
}
