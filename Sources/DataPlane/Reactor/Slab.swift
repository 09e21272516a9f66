// Records of one kind in blocks of 64: taking and giving back is a few instructions and no call of
// the allocator. A `Slot` is the handle: a plain pointer whose holder guarantees that the record
// has not been given back. Records are 16-byte aligned, so a token may use an address's low 4 bits.

@safe
package struct Slot<Record: ~Copyable>: Equatable, Hashable {
    private let pointer: UnsafeMutablePointer<Record>

    /// The record at `pointer` lives in a slab, or outlives every use of this slot.
    package init(_ pointer: UnsafeMutablePointer<Record>) {
        unsafe self.pointer = unsafe pointer
    }

    /// The slot whose `address` this is; nil for zero.
    package init?(address: UInt) {
        guard let pointer = unsafe UnsafeMutablePointer<Record>(bitPattern: address) else {
            return nil
        }
        unsafe self.pointer = unsafe pointer
    }

    package var address: UInt {
        UInt(bitPattern: unsafe pointer)
    }

    package var it: Record {
        unsafeAddress { unsafe UnsafePointer(pointer) }
        nonmutating unsafeMutableAddress { unsafe pointer }
    }

    package static func == (left: Slot, right: Slot) -> Bool {
        left.address == right.address
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(address)
    }
}

extension Slot where Record: ~Copyable {
    /// A record outside any slab, for the few that are made seldom and live long.
    package static func make(_ value: consuming Record) -> Slot {
        let pointer = UnsafeMutablePointer<Record>.allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
        return unsafe Slot(pointer)
    }

    /// Ends a record made by `make`. The slot and its copies must not be used again.
    package func free() {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }
}

/// Never gives memory back before it ends itself: its blocks are as many as the busiest moment
/// needed. Records still taken then are not deinitialised; whoever took them must give them back.
@safe
package struct Slab<Record: ~Copyable>: ~Copyable {
    package let limit: Int
    package private(set) var count = 0
    private var free: UnsafeMutablePointer<FreeRecord>?
    private var blocks: UnsafeMutablePointer<BlockHeader>?

    /// Holds at most `limit` records at a time.
    package init(limit: Int) {
        self.limit = limit
        unsafe free = nil
        unsafe blocks = nil
    }

    deinit {
        var next = unsafe blocks
        while let block = unsafe next {
            unsafe next = block.pointee.next
            unsafe UnsafeMutableRawPointer(block).deallocate()
        }
    }

    /// A record of its own for `value`, or nil when `limit` are taken.
    package mutating func take(_ value: consuming Record) -> Slot<Record>? {
        guard count < limit else { return nil }
        if unsafe free == nil { addBlock() }
        guard let record = unsafe free else { return nil }
        unsafe free = record.pointee.next
        // A record need not overwrite its padding: without this, giving it back could look like
        // giving it back twice.
        unsafe record.pointee.mark = 0
        count += 1
        let slot = unsafe UnsafeMutableRawPointer(record).bindMemory(to: Record.self, capacity: 1)
        unsafe slot.initialize(to: value)
        return unsafe Slot(slot)
    }

    /// Takes the record back. The slot and its copies must not be used again.
    package mutating func give(_ slot: Slot<Record>) {
        guard let raw = unsafe UnsafeMutableRawPointer(bitPattern: slot.address) else { return }
        let mark = FreeRecord.mark(of: slot.address)
        let found = unsafe raw.load(fromByteOffset: 8, as: UInt64.self)
        precondition(found != mark, "a record is given back once")
        unsafe raw.assumingMemoryBound(to: Record.self).deinitialize(count: 1)
        let record = unsafe raw.bindMemory(to: FreeRecord.self, capacity: 1)
        unsafe record.initialize(to: FreeRecord(next: free, mark: mark))
        unsafe free = record
        count -= 1
    }

    @inline(never)
    private mutating func addBlock() {
        let stride = (max(MemoryLayout<Record>.stride, 16) + 15) & ~15
        let records = ReactorLimits.recordsPerBlock
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: 16 + stride * records, alignment: 16)
        let block = unsafe raw.bindMemory(to: BlockHeader.self, capacity: 1)
        unsafe block.initialize(to: BlockHeader(next: blocks))
        unsafe blocks = block
        // Backwards, so that records are first taken in the order of their addresses.
        for index in (0..<records).reversed() {
            let place = unsafe raw + 16 + stride * index
            let record = unsafe place.bindMemory(to: FreeRecord.self, capacity: 1)
            let mark = FreeRecord.mark(of: UInt(bitPattern: place))
            unsafe record.initialize(to: FreeRecord(next: free, mark: mark))
            unsafe free = record
        }
    }
}

/// The first bytes of a block; all blocks of a slab form a list.
@safe
private struct BlockHeader {
    var next: UnsafeMutablePointer<BlockHeader>?
}

/// The first bytes of a record that nobody holds. The mark shows a record given back twice.
@safe
private struct FreeRecord {
    var next: UnsafeMutablePointer<FreeRecord>?
    var mark: UInt64

    static func mark(of address: UInt) -> UInt64 {
        UInt64(address) ^ 0x5eed_f4ee_0000_0000
    }
}
