// Puts a head together from the fields of a header block, in the form that HTTP/1.1 has for it, so
// that one strict parser judges all heads and nothing reaches a replica that HTTP/1.1 cannot say.
// The library has checked what RFC 9113 8 asks of names, values and pseudo-header fields.

/// One at a time on a loop: header blocks are never interleaved (RFC 9113 4.3). When the bytes run
/// out in the middle, `park` keeps what there is; the loop's buffers then serve other sessions.
@safe struct HTTP2Assembly {
    enum Kind: UInt8 { case request, answer, trailers }

    /// Whatever a head has beyond its fields: the first line, what replaces pseudo-header fields.
    static let extraBytes = 512

    var stream: RecordPointer<HTTP2StreamRecord>?
    var kind = Kind.request
    /// The first line is written, where there is one.
    var hasBegun = false
    var isTooLarge = false
    /// It cannot be said in HTTP/1.1; the stream is reset.
    var isMalformed = false
    var hasLength = false
    /// As RFC 9113 10.5.1 counts them: names, values, and 32 bytes each.
    var listBytes = 0
    var fields = 0
    /// Where the head begins in the loop's buffer.
    var start = 0
    var status: UInt16 = 0
    var priority = HTTP2PrioritySignal()

    // In the side buffer.
    var method = Slice.none
    var path = Slice.none
    var authority = Slice.none
    var upgrade = Slice.none
    var cookies = Slice.none

    /// What is parked: the head so far, then the side buffer.
    private var parked: UnsafeMutableRawBufferPointer?
    private var parkedHead = 0
    private var parkedSide = 0

    init() { unsafe parked = nil }

    var isActive: Bool { stream != nil }
    var isParked: Bool { unsafe parked != nil }

    mutating func begin(
        _ stream: RecordPointer<HTTP2StreamRecord>, _ kind: Kind,
        heads: inout HeadBuffer, side: inout HeadBuffer
    ) {
        free()
        self = HTTP2Assembly()
        self.stream = stream
        self.kind = kind
        start = heads.count
        side.removeAll()
    }

    mutating func end() {
        free()
        stream = nil
    }

    mutating func park(heads: inout HeadBuffer, side: borrowing HeadBuffer) {
        guard isActive, !isParked else { return }
        parkedHead = heads.count &- start
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, parkedHead &+ side.count), alignment: 16)
        unsafe heads.withBytes { bytes in
            unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        unsafe side.withBytes { bytes in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[parkedHead...])
                .copyMemory(from: bytes)
        }
        unsafe parked = memory
        parkedSide = side.count
        heads.truncate(to: start)
    }

    mutating func unpark(heads: inout HeadBuffer, side: inout HeadBuffer) {
        guard let memory = unsafe parked else { return }
        start = heads.count
        heads.append(unsafe UnsafeRawBufferPointer(rebasing: memory[..<parkedHead]).bytes)
        side.removeAll()
        let rest = unsafe memory[parkedHead..<(parkedHead &+ parkedSide)]
        side.append(unsafe UnsafeRawBufferPointer(rebasing: rest).bytes)
        free()
    }

    mutating func free() {
        deallocate()
        unsafe parked = nil
    }

    /// For the end of the session.
    func deallocate() { unsafe parked?.deallocate() }
}
