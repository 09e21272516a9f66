// The memory that event loops share: records of atomics at fixed addresses. This is the only file
// of the module with `unsafe`. A record outlives every handle to it because the handle's user also
// holds the owner (a table holds its states, a balancer its table); indices are always checked.

import Synchronization

/// A fixed row of records at a fixed address: a pointer and a count, trivial to copy.
@safe package struct SharedRecords<Record: ~Copyable>: @unchecked Sendable {
    private let start: UnsafeMutablePointer<Record>
    package let count: Int

    fileprivate init(start: UnsafeMutablePointer<Record>, count: Int) {
        unsafe self.start = unsafe start
        self.count = count
    }

    package subscript(index: Int) -> Record {
        unsafeAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index within records")
            return unsafe UnsafePointer(start + index)
        }
        nonmutating unsafeMutableAddress {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index within records")
            return unsafe start + index
        }
    }

    /// The first record, for rows that hold exactly one.
    package var it: Record {
        unsafeAddress { unsafe UnsafePointer(start) }
        nonmutating unsafeMutableAddress { unsafe start }
    }

    /// Identity of the row in memory.
    package var address: UInt { unsafe UInt(bitPattern: start) }
}

/// Owns a row of records on cache lines of its own and frees it at the end.
package final class SharedMemory<Record: ~Copyable>: @unchecked Sendable {
    package let records: SharedRecords<Record>

    /// - Precondition: `count` is at least one.
    package init(count: Int, make: (Int) -> Record) {
        precondition(count > 0, "a row has at least one record")
        // 128: adjacent-line prefetch makes pairs of 64-byte lines one unit of false sharing.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: max(128, count * MemoryLayout<Record>.stride), alignment: 128)
        let start = unsafe memory.bindMemory(to: Record.self, capacity: count)
        for index in 0..<count { unsafe (start + index).initialize(to: make(index)) }
        records = unsafe SharedRecords(start: start, count: count)
    }

    deinit {
        for index in 0..<records.count {
            unsafe withUnsafeMutablePointer(to: &records[index]) { record in
                _ = unsafe record.deinitialize(count: 1)
            }
        }
        unsafe UnsafeMutableRawPointer(bitPattern: records.address)?.deallocate()
    }
}

/// A number written by any loop and read by any other, without order.
package struct SharedNumber: ~Copyable {
    private let cell: Atomic<Double>

    init(_ value: Double) { cell = Atomic(value) }

    package var value: Double {
        get { cell.load(ordering: .relaxed) }
        nonmutating set { cell.store(newValue, ordering: .relaxed) }
    }
}

/// An integer written by any loop and read by any other, without order.
package struct SharedInteger: ~Copyable {
    private let cell: Atomic<Int64>

    init(_ value: Int64) { cell = Atomic(value) }

    package var value: Int64 {
        get { cell.load(ordering: .relaxed) }
        nonmutating set { cell.store(newValue, ordering: .relaxed) }
    }

    @discardableResult
    func add(_ amount: Int64) -> Int64 {
        cell.wrappingAdd(amount, ordering: .relaxed).newValue
    }

    /// Puts `new` in place of `old`; false when the value was no longer `old`.
    func replace(_ old: Int64, by new: Int64) -> Bool {
        cell.compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
    }
}

/// Lets one loop at a time update a group of statistics; the others skip their sample instead of
/// waiting. Two loops meet here within tens of nanoseconds, so the loss is small and unbiased.
struct SampleGate: ~Copyable {
    private let isTaken = Atomic<Bool>(false)

    func enter() -> Bool {
        if isTaken.load(ordering: .relaxed) { return false }
        return !isTaken.exchange(true, ordering: .acquiring)
    }

    func leave() { isTaken.store(false, ordering: .releasing) }
}

/// Keeps what stands before and after it on different pairs of cache lines.
struct LinePadding {
    private let bytes = InlineArray<16, UInt64>(repeating: 0)
}

/// Eight bytes of a span as a little-endian word.
func word(_ bytes: RawSpan, at offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
}

/// The keyed hash of a string's UTF-8. Not for the request path.
func hash(_ text: String, key: StickyKey) -> UInt64 {
    let bytes = Array(text.utf8)
    return unsafe SipHash.hash(bytes.span.bytes, key: key)
}

/// One byte of a span.
func byte(_ bytes: RawSpan, at offset: Int) -> UInt8 {
    unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
}
