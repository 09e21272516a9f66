// A head on its way out, with its names in lower case, and the fields in it: from here it becomes a
// header block when its turn has come. Belongs to a stream's record, and keeps its memory for the
// record's next stream, so that a usual head allocates nothing.

internal import CNGHTTP2

@safe struct HTTP2HeadCopy {
    private(set) var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    /// The fields, as many as there is room for, and then what each is.
    private var list: UnsafeMutableRawPointer?
    private var listCapacity = 0
    /// Fields that wait to be sent; 0 when none do.
    private(set) var fieldCount = 0

    init() {
        unsafe memory = nil
        unsafe list = nil
    }

    /// Keeps the fields of a head that was filled in.
    mutating func keep(_ fields: borrowing HTTP2FieldList) {
        if fields.count > listCapacity {
            unsafe list?.deallocate()
            listCapacity = max(fields.count, 24)
            unsafe list = .allocate(
                byteCount: listCapacity &* (MemoryLayout<nghttp2_nv>.stride &+ 1), alignment: 16)
        }
        guard let list = unsafe list else { return }
        fieldCount = fields.count
        unsafe list.copyMemory(
            from: fields.storage, byteCount: fieldCount &* MemoryLayout<nghttp2_nv>.stride)
        unsafe (list + listCapacity &* MemoryLayout<nghttp2_nv>.stride)
            .copyMemory(from: fields.known, byteCount: fieldCount)
    }

    /// Hands out the fields, which wait no longer.
    mutating func takeFields<Result>(
        _ body: (UnsafeBufferPointer<nghttp2_nv>, UnsafePointer<UInt8>) -> Result
    ) -> Result? {
        guard let list = unsafe list, fieldCount > 0 else { return nil }
        let fields = unsafe UnsafeBufferPointer(
            start: list.assumingMemoryBound(to: nghttp2_nv.self), count: fieldCount)
        fieldCount = 0
        let known = unsafe list + listCapacity &* MemoryLayout<nghttp2_nv>.stride
        return unsafe body(fields, known.assumingMemoryBound(to: UInt8.self))
    }

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
        fieldCount = 0
        if capacity > Limits.keptHeadBytes || listCapacity > Limits.keptHeadFields { free() }
    }

    mutating func free() {
        unsafe memory?.deallocate()
        unsafe list?.deallocate()
        self = HTTP2HeadCopy()
    }
}
