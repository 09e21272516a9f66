// Memory that was freed and that the allocator keeps for itself: after many connections at once it
// is most of the process, torn to pieces by what lives on. Decides when it is worth giving back;
// somebody off the loops asks once a second, and does it.

internal import CLinux

package struct SpareMemory {
    /// The least that was resident, at the start or after memory had been given back.
    private var floor: Int
    private var last: Int
    private var pause = ReactorLimits.sparePauseNanoseconds
    /// When memory was last given back.
    private var since: Int64?

    package init(residentBytes: Int) {
        floor = residentBytes
        last = residentBytes
    }

    package mutating func isWorthReturning(residentBytes: Int, now: Int64) -> Bool {
        // Something has happened since: what was in use then may be free now.
        if residentBytes > last + ReactorLimits.spareBytes {
            pause = ReactorLimits.sparePauseNanoseconds
        }
        if let since, now < since + pause { return false }
        return residentBytes > floor + ReactorLimits.spareBytes
    }

    /// - Parameter residentBytes: before, and after.
    package mutating func wasReturned(_ residentBytes: (Int, Int), now: Int64) {
        let (before, after) = residentBytes
        last = after
        floor = min(floor, after)
        // What is in use cannot be given back, however often.
        pause =
            before - after >= ReactorLimits.spareBytes
            ? ReactorLimits.sparePauseNanoseconds
            : min(2 * pause, ReactorLimits.sparePauseNanosecondsMax)
        since = now
    }

    package static var residentBytes: Int { Int(penstock_resident_bytes()) }

    /// Takes milliseconds, during which a loop that allocates may have to wait.
    package static func giveBack() { penstock_give_back_memory() }
}
