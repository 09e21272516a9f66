// Coarse timers for tens of thousands of connections, after Varghese and Lauck's hashed wheel.
// Pure: time comes in as an argument. A timer never fires early, and late by a tick at most.
// Moving a live timer later is one store: it stays where it is linked, and is linked anew when the
// wheel comes by. Time-outs that are pushed back with every byte therefore cost nothing.

/// A handle that stays harmless after its timer has fired or was cancelled.
package struct TimerID: Equatable, Sendable {
    fileprivate var index: UInt32
    /// Zero belongs to no timer.
    fileprivate var generation: UInt32

    package static let none = TimerID(index: 0, generation: 0)
}

@safe
package struct TimerWheel: ~Copyable {
    /// The tick the wheel has come to: everything linked earlier has been looked at.
    private var cursor: Int64
    package private(set) var count = 0
    private var nodes: UnsafeMutablePointer<TimerNode>
    private var capacity: UInt32
    private var firstFree: UInt32
    private let slots: UnsafeMutablePointer<UInt32>
    /// One bit a slot that holds a timer, and one bit a word of those that is not zero.
    private let words: UnsafeMutablePointer<UInt64>
    private var wordsInUse: UInt64 = 0

    private static var slotCount: Int { ReactorLimits.timerSlots }
    private static var slotMask: Int64 { Int64(ReactorLimits.timerSlots - 1) }
    private static var nobody: UInt32 { .max }

    package init(now: Int64) {
        cursor = now >> ReactorLimits.timerTickBits
        capacity = 64
        firstFree = Self.nobody
        unsafe nodes = .allocate(capacity: 64)
        unsafe slots = .allocate(capacity: Self.slotCount)
        unsafe slots.initialize(repeating: Self.nobody, count: Self.slotCount)
        unsafe words = .allocate(capacity: Self.slotCount / 64)
        unsafe words.initialize(repeating: 0, count: Self.slotCount / 64)
        initializeNodes(from: 0)
    }

    deinit {
        unsafe nodes.deallocate()
        unsafe slots.deallocate()
        unsafe words.deallocate()
    }

    /// Makes `token` come out of `popExpired` once `nanoseconds` have come. If `id` is a live timer
    /// it is moved, otherwise `id` becomes a new one.
    package mutating func set(_ id: inout TimerID, at nanoseconds: Int64, token: UInt64) {
        let due = Self.tick(notBefore: nanoseconds)
        guard isLive(id) else {
            id = add(due: due, token: token)
            return
        }
        let index = id.index
        unsafe nodes[Int(index)].due = due
        unsafe nodes[Int(index)].token = token
        if unsafe due < nodes[Int(index)].linked {
            unlink(index)
            link(index)
        }
    }

    /// Like `set`, but a live timer that is due sooner stays as it is.
    package mutating func setSooner(_ id: inout TimerID, at nanoseconds: Int64, token: UInt64) {
        if isLive(id), unsafe nodes[Int(id.index)].due <= Self.tick(notBefore: nanoseconds) {
            return
        }
        set(&id, at: nanoseconds, token: token)
    }

    /// Nothing comes of the timer any more. `id` becomes `.none`; a stale one is ignored.
    package mutating func cancel(_ id: inout TimerID) {
        if isLive(id) {
            unlink(id.index)
            recycle(id.index)
        }
        id = .none
    }

    /// The token of a timer whose time has come, which is thereby gone; nil when there is none.
    /// To be called until nil.
    package mutating func popExpired(now: Int64) -> UInt64? {
        let today = now >> ReactorLimits.timerTickBits
        while cursor <= today {
            guard let distance = distanceToNext(), cursor + distance <= today else {
                cursor = today
                return nil
            }
            cursor += distance
            let index = unsafe slots[Int(cursor & Self.slotMask)]
            unlink(index)
            if unsafe nodes[Int(index)].due <= today {
                let token = unsafe nodes[Int(index)].token
                recycle(index)
                return token
            }
            link(index)
        }
        return nil
    }

    /// How long a loop may sleep before it must call `popExpired`; -1 when there is no timer.
    package func millisecondsUntilNext(now: Int64) -> Int32 {
        guard let distance = distanceToNext() else { return -1 }
        let wait = (cursor + distance) << ReactorLimits.timerTickBits &- now
        if wait <= 0 { return 0 }
        return Int32(clamping: (wait + 999_999) / 1_000_000)
    }

    package func isLive(_ id: TimerID) -> Bool {
        guard id.generation != 0, id.index < capacity else { return false }
        return unsafe nodes[Int(id.index)].generation == id.generation
    }

    /// The first tick that begins at or after `nanoseconds`: rounding up keeps timers from firing
    /// early. Far futures are cut so that no sum overflows.
    private static func tick(notBefore nanoseconds: Int64) -> Int64 {
        let whole = nanoseconds >> ReactorLimits.timerTickBits
        return whole << ReactorLimits.timerTickBits == nanoseconds ? whole : whole + 1
    }

    /// Ticks from the cursor to the first slot that holds anything, 0 … 4095.
    private func distanceToNext() -> Int64? {
        guard wordsInUse != 0 else { return nil }
        let start = Int(cursor & Self.slotMask)
        let word = start >> 6
        let here = unsafe words[word] >> UInt64(start & 63)
        if here != 0 { return Int64(here.trailingZeroBitCount) }
        // Words after this one, then from the beginning up to and including this one.
        let later = word == 63 ? 0 : wordsInUse & (UInt64.max << UInt64(word + 1))
        let next = later != 0 ? later.trailingZeroBitCount : wordsInUse.trailingZeroBitCount
        let slot = unsafe next << 6 + words[next].trailingZeroBitCount
        return Int64(slot - start) & Self.slotMask
    }
}

// Links and nodes.
extension TimerWheel {
    private mutating func add(due: Int64, token: UInt64) -> TimerID {
        if firstFree == Self.nobody { grow() }
        let index = firstFree
        unsafe firstFree = nodes[Int(index)].next
        unsafe nodes[Int(index)].due = due
        unsafe nodes[Int(index)].token = token
        // Free nodes carry an even generation, live ones an odd one: zero is never live.
        unsafe nodes[Int(index)].generation &+= 1
        link(index)
        count += 1
        return unsafe TimerID(index: index, generation: nodes[Int(index)].generation)
    }

    private mutating func recycle(_ index: UInt32) {
        unsafe nodes[Int(index)].generation &+= 1
        unsafe nodes[Int(index)].next = firstFree
        firstFree = index
        count -= 1
    }

    /// Into the slot of its time, or the farthest there is; a past time means the cursor's slot.
    private mutating func link(_ index: UInt32) {
        let due = unsafe nodes[Int(index)].due
        let tick = min(max(due, cursor), cursor + Self.slotMask)
        let slot = Int(tick & Self.slotMask)
        let head = unsafe slots[slot]
        unsafe nodes[Int(index)].linked = tick
        unsafe nodes[Int(index)].next = head
        unsafe nodes[Int(index)].previous = Self.nobody
        if head != Self.nobody { unsafe nodes[Int(head)].previous = index }
        unsafe slots[slot] = index
        // Not `|=`: under ThreadSanitizer that makes the compiler of Swift 6.3 abort.
        let word = unsafe words[slot >> 6]
        unsafe words[slot >> 6] = word | 1 << UInt64(slot & 63)
        wordsInUse |= 1 << UInt64(slot >> 6)
    }

    private mutating func unlink(_ index: UInt32) {
        let node = unsafe nodes[Int(index)]
        let slot = Int(node.linked & Self.slotMask)
        if node.next != Self.nobody { unsafe nodes[Int(node.next)].previous = node.previous }
        if node.previous != Self.nobody {
            unsafe nodes[Int(node.previous)].next = node.next
            return
        }
        unsafe slots[slot] = node.next
        guard node.next == Self.nobody else { return }
        let word = unsafe words[slot >> 6] & ~(1 << UInt64(slot & 63))
        unsafe words[slot >> 6] = word
        if word == 0 { wordsInUse &= ~(1 << UInt64(slot >> 6)) }
    }

    @inline(never)
    private mutating func grow() {
        let larger = capacity * 2
        let moved = UnsafeMutablePointer<TimerNode>.allocate(capacity: Int(larger))
        unsafe moved.moveInitialize(from: nodes, count: Int(capacity))
        unsafe nodes.deallocate()
        unsafe nodes = unsafe moved
        let first = capacity
        capacity = larger
        initializeNodes(from: first)
    }

    private mutating func initializeNodes(from first: UInt32) {
        for index in (first..<capacity).reversed() {
            unsafe (nodes + Int(index)).initialize(to: TimerNode(next: firstFree))
            firstFree = index
        }
    }
}

/// 40 bytes. While it is free, `next` leads to the next free one.
private struct TimerNode {
    var due: Int64 = 0
    /// The tick in whose slot it hangs: `due`, or earlier.
    var linked: Int64 = 0
    var token: UInt64 = 0
    var next: UInt32
    var previous: UInt32 = 0
    var generation: UInt32 = 0
}
