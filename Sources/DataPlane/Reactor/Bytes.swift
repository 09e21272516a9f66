// Two views of memory that the loops pass around without copying or counting references.
// Both are plain values: whoever owns the memory says how long they hold, and frees it.

/// Borrowed bytes: valid until the loop next receives, flushes, or frees what they lie in.
@safe
package struct Bytes {
    package let buffer: UnsafeRawBufferPointer

    package init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.buffer = buffer
    }

    package init(_ text: StaticString) {
        unsafe buffer = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    package static var empty: Bytes {
        unsafe Bytes(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// For parsers.
    package var span: RawSpan {
        @_lifetime(borrow self)
        get { unsafe buffer.bytes }
    }

    package var count: Int { unsafe buffer.count }
    package var isEmpty: Bool { unsafe buffer.isEmpty }

    /// - Precondition: the range lies within the bytes.
    package func slice(from offset: Int, count: Int) -> Bytes {
        precondition(
            offset >= 0 && count >= 0 && offset &+ count <= self.count,
            "a slice lies within its bytes")
        return unsafe Bytes(UnsafeRawBufferPointer(rebasing: buffer[offset..<(offset &+ count)]))
    }

    package func dropping(_ amount: Int) -> Bytes {
        slice(from: amount, count: count &- amount)
    }
}

/// Owned, growing bytes with a consumed front. 24 bytes when empty, and no memory behind them.
/// A plain value with a manual `free()`: it lives in records that are recycled, never copied.
@safe
package struct HeapBytes {
    private var base: UnsafeMutableRawPointer?
    private var start: UInt32 = 0
    private var end: UInt32 = 0
    private var capacity: UInt32 = 0

    package init() {}

    package var count: Int { Int(end &- start) }
    package var isEmpty: Bool { start == end }
    /// The memory behind them, in bytes.
    package var reserved: Int { Int(capacity) }

    package var bytes: Bytes {
        guard let base = unsafe base else { return .empty }
        return unsafe Bytes(UnsafeRawBufferPointer(start: base + Int(start), count: count))
    }

    package mutating func append(_ more: Bytes) {
        guard !more.isEmpty else { return }
        reserve(more.count)
        guard let base = unsafe base else { return }
        unsafe UnsafeMutableRawBufferPointer(start: base + Int(end), count: more.count)
            .copyMemory(from: more.buffer)
        end &+= UInt32(more.count)
    }

    /// Drops the first `amount` bytes; the memory stays for the next append.
    package mutating func consume(_ amount: Int) {
        precondition(amount <= count, "no more is consumed than is there")
        start &+= UInt32(amount)
        if start == end { removeAll() }
    }

    package mutating func removeAll() {
        start = 0
        end = 0
    }

    package mutating func free() {
        unsafe base?.deallocate()
        self = HeapBytes()
    }

    /// Empties the bytes; gives the memory back only if it is more than `kept`.
    package mutating func recycle(keeping kept: Int) {
        if Int(capacity) > kept { free() } else { removeAll() }
    }

    private mutating func reserve(_ more: Int) {
        let needed = count + more
        precondition(needed <= Int(UInt32.max) / 2, "one buffer stays below 2 GiB")
        if Int(end) + more <= Int(capacity) { return }
        if needed <= Int(capacity), let base = unsafe base {
            unsafe base.copyMemory(from: base + Int(start), byteCount: count)
        } else {
            // Exact for the first fill, doubling after that: most stashes are filled once.
            let size = max(needed, capacity == 0 ? 512 : Int(capacity) * 2)
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            if let base = unsafe base {
                unsafe fresh.copyMemory(from: base + Int(start), byteCount: count)
                unsafe base.deallocate()
            }
            unsafe base = fresh
            capacity = UInt32(size)
        }
        end = UInt32(count)
        start = 0
    }
}
