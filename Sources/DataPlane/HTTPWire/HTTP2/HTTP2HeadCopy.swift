// A head on its way out, with its names in lower case: the library serialises it from here. Belongs
// to a stream's record, which the library outlives no longer than the stream, and keeps its memory
// for the record's next stream, so that a usual head allocates nothing.

@safe struct HTTP2HeadCopy {
    private(set) var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    init() { unsafe memory = nil }

    /// Makes it a copy of `bytes`.
    mutating func fill(_ bytes: RawSpan) {
        if bytes.byteCount > capacity {
            free()
            capacity = max(bytes.byteCount, 512)
            unsafe memory = .allocate(byteCount: capacity, alignment: 16)
        }
        guard let memory = unsafe memory else { return }
        unsafe bytes.withUnsafeBytes { source in
            guard let first = source.baseAddress else { return }
            unsafe memory.copyMemory(from: first, byteCount: source.count)
        }
    }

    /// Gives the memory back if it is more than a usual head's.
    mutating func recycle() {
        if capacity > Limits.keptHeadBytes { free() }
    }

    mutating func free() {
        unsafe memory?.deallocate()
        self = HTTP2HeadCopy()
    }
}
