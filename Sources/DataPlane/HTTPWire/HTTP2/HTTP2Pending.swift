// Bytes of one stream that wait for the end of the batch, for the peer's window or for room on the
// way out. A small piece of memory stays with the stream's record, so that small messages allocate
// nothing; large ones go straight from the reader's buffer into frames and never come here. A plain
// value with a manual `free`, because it lives in recycled records.

@safe struct HTTP2Pending {
    private var memory: UnsafeMutableRawPointer?
    private var start = 0
    private var end = 0
    private var capacity = 0

    var count: Int { end &- start }
    var isEmpty: Bool { start == end }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        guard let memory = unsafe memory else { return }
        unsafe (memory + end).copyMemory(from: source, byteCount: bytes.count)
        end &+= bytes.count
    }

    /// Moves the first `count` bytes to `destination`.
    mutating func take(_ count: Int, to destination: UnsafeMutableRawPointer) {
        precondition(count <= self.count, "no more is taken than is there")
        guard count > 0, let memory = unsafe memory else { return }
        unsafe destination.copyMemory(from: memory + start, byteCount: count)
        start &+= count
        if start == end { recycle() }
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard let memory = unsafe memory else { return }
        unsafe body(UnsafeRawBufferPointer(start: memory + start, count: count))
    }

    /// Empties it. Whoever stalls once may do so again, but much memory with a lasting stream is
    /// waste.
    mutating func recycle() {
        if capacity > Limits.keptPendingBytes { free() }
        start = 0
        end = 0
    }

    /// For the end of its holder.
    func deallocate() { unsafe memory?.deallocate() }

    mutating func free() {
        unsafe memory?.deallocate()
        self = HTTP2Pending()
    }

    private mutating func reserve(_ more: Int) {
        let needed = count &+ more
        if end &+ more <= capacity { return }
        if needed <= capacity, let memory = unsafe memory {
            unsafe memory.copyMemory(from: memory + start, byteCount: count)
        } else {
            // Exact for a large first fill, half as much again after that.
            let size = max(needed, capacity &+ capacity / 2, Limits.firstPendingBytes)
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            if let memory = unsafe memory {
                unsafe fresh.copyMemory(from: memory + start, byteCount: count)
                unsafe memory.deallocate()
            }
            unsafe self.memory = fresh
            capacity = size
        }
        end = count
        start = 0
    }
}
