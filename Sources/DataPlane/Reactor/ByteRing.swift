// Bytes from one loop to one other thread, without a lock: the loop appends whole pieces or is told
// that there is no room; it never waits. The reader says when it wants to be woken, so that a
// steady stream costs no system calls. A plain handle: it must be freed once, by its owner, when
// neither side uses it any more.

internal import CLinux
internal import Synchronization

@safe
package struct ByteRing: @unchecked Sendable {
    /// What the reader waits for before it is woken.
    package enum Wake: UInt8 {
        case never = 0
        case whenHalfFull = 1
        case whenNotEmpty = 2
    }

    private let state: UnsafeMutablePointer<RingState>

    /// `capacity` is a power of two; `doorbell` is rung, and must live as long as the ring.
    package init(capacity: Int, doorbell: Doorbell) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "capacity: a power of two")
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: RingState(capacity: capacity, doorbell: doorbell.descriptor))
    }

    package func free() {
        unsafe state.pointee.memory.deallocate()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The writer's side: all of `bytes` or nothing.
    package func append(_ bytes: Bytes) -> Bool {
        unsafe state.pointee.append(bytes)
    }

    /// The reader's side: hands what has arrived, at most two pieces, to `body`, then frees it.
    /// Answers how many bytes there were.
    package func drain(_ body: (Bytes) -> Void) -> Int {
        unsafe state.pointee.drain(body)
    }

    package var isEmpty: Bool {
        unsafe state.pointee.isEmpty
    }

    /// The reader's side, before it sleeps. After `.whenNotEmpty` it must look once more: what
    /// arrived before is not rung for.
    package func arm(_ wake: Wake) {
        unsafe state.pointee.wake.store(wake.rawValue, ordering: .sequentiallyConsistent)
    }

    /// Pieces that found no room.
    package var refused: UInt64 {
        unsafe state.pointee.refused.load(ordering: .relaxed)
    }
}

/// Positions only grow; the bytes between `head` and `tail` are the reader's, the rest the
/// writer's. Both sides' fields stand on cache lines of their own.
@safe
private struct RingState: ~Copyable {
    let memory: UnsafeMutableRawBufferPointer
    let mask: UInt64
    let doorbell: Int32

    private var gapBeforeTail = InlineArray<8, UInt64>(repeating: 0)
    let tail = Atomic<UInt64>(0)
    /// The writer's view of `head`, refreshed only when room gets short.
    let knownHead = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)

    private var gapBeforeHead = InlineArray<8, UInt64>(repeating: 0)
    let head = Atomic<UInt64>(0)
    let wake = Atomic<UInt8>(0)

    init(capacity: Int, doorbell: Int32) {
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
        mask = UInt64(capacity - 1)
        self.doorbell = doorbell
    }

    var isEmpty: Bool {
        tail.load(ordering: .sequentiallyConsistent) == head.load(ordering: .relaxed)
    }

    func append(_ bytes: Bytes) -> Bool {
        let position = tail.load(ordering: .relaxed)
        let end = position &+ UInt64(bytes.count)
        var known = knownHead.load(ordering: .relaxed)
        if end &- known > (mask &+ 1) / 2 {
            known = head.load(ordering: .acquiring)
            knownHead.store(known, ordering: .relaxed)
            guard end &- known <= mask &+ 1 else {
                let before = refused.load(ordering: .relaxed)
                refused.store(before &+ 1, ordering: .relaxed)
                return false
            }
        }
        let offset = Int(position & mask)
        let first = min(bytes.count, unsafe memory.count - offset)
        copy(bytes.slice(from: 0, count: first), to: offset)
        copy(bytes.dropping(first), to: 0)
        // Totally ordered with the reader's `arm` and its second look: either it sees the bytes or
        // we see that it sleeps.
        tail.store(end, ordering: .sequentiallyConsistent)
        let wanted = wake.load(ordering: .sequentiallyConsistent)
        if wanted != 0 { wakeReader(wanted, used: end &- known) }
        return true
    }

    @inline(__always)
    private func copy(_ bytes: Bytes, to offset: Int) {
        guard !bytes.isEmpty else { return }
        let room = unsafe UnsafeMutableRawBufferPointer(
            rebasing: memory[offset..<(offset + bytes.count)])
        unsafe room.copyMemory(from: bytes.buffer)
    }

    /// `used` may be too high, as the writer's view of `head` is old: the reader then wakes a
    /// little early.
    private func wakeReader(_ wanted: UInt8, used: UInt64) {
        let isFull = used > (mask &+ 1) / 2
        guard wanted == ByteRing.Wake.whenNotEmpty.rawValue || isFull else { return }
        if wake.exchange(0, ordering: .acquiringAndReleasing) != 0 {
            penstock_eventfd_ring(doorbell)
        }
    }

    func drain(_ body: (Bytes) -> Void) -> Int {
        let start = head.load(ordering: .relaxed)
        let end = tail.load(ordering: .sequentiallyConsistent)
        let count = Int(end &- start)
        guard count > 0 else { return 0 }
        let offset = Int(start & mask)
        let first = min(count, unsafe memory.count - offset)
        body(bytes(from: offset, count: first))
        if count > first { body(bytes(from: 0, count: count - first)) }
        head.store(end, ordering: .releasing)
        return count
    }

    private func bytes(from offset: Int, count: Int) -> Bytes {
        unsafe Bytes(
            UnsafeRawBufferPointer(
                rebasing: UnsafeRawBufferPointer(memory)[offset..<(offset + count)]))
    }
}
