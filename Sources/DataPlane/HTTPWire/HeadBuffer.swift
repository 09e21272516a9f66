// Where heads are written: a fixed block of memory, reused. An append that does not fit sets a flag
// and changes nothing else, so that the writer checks once, at the end.

@safe package struct HeadBuffer: ~Copyable {
    package let capacity: Int
    package private(set) var count = 0
    /// Something did not fit: the contents are not a message.
    package private(set) var didOverflow = false
    private let storage: UnsafeMutableRawPointer

    package init(capacity: Int) {
        precondition(capacity > 0, "a buffer holds something")
        self.capacity = capacity
        unsafe storage = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { unsafe storage.deallocate() }

    package mutating func removeAll() {
        count = 0
        didOverflow = false
    }

    /// Inlined, since a copy of known length is a few instructions and no call.
    @inline(__always) package mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        guard makeRoom(length) else { return }
        unsafe storage.advanced(by: count).copyMemory(from: text.utf8Start, byteCount: length)
        count &+= length
    }

    package mutating func append(_ bytes: RawSpan, _ slice: Slice) {
        append(bytes, from: slice.start, to: slice.end)
    }

    package mutating func append(_ bytes: RawSpan, from start: Int, to end: Int) {
        precondition(start >= 0 && start <= end && end <= bytes.byteCount, "a slice of the bytes")
        let length = end &- start
        guard makeRoom(length) else { return }
        let destination = unsafe storage.advanced(by: count)
        unsafe bytes.withUnsafeBytes { source in
            guard let first = source.baseAddress else { return }
            unsafe Word.copy(first.advanced(by: start), to: destination, length)
        }
        count &+= length
    }

    package mutating func append(_ bytes: RawSpan) {
        append(bytes, from: 0, to: bytes.byteCount)
    }

    @inline(__always) package mutating func append(_ byte: UInt8) {
        guard makeRoom(1) else { return }
        unsafe storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// `name: value` and CRLF.
    mutating func appendField(_ name: RawSpan, _ value: RawSpan) {
        let colon = count &+ name.byteCount
        let end = colon &+ 2 &+ value.byteCount
        guard makeRoom(end &+ 2 &- count) else { return }
        copy(name, to: count)
        unsafe storage.storeBytes(of: 0x3A, toByteOffset: colon, as: UInt8.self)
        unsafe storage.storeBytes(of: 0x20, toByteOffset: colon &+ 1, as: UInt8.self)
        copy(value, to: colon &+ 2)
        unsafe storage.storeBytes(of: 0x0D, toByteOffset: end, as: UInt8.self)
        unsafe storage.storeBytes(of: 0x0A, toByteOffset: end &+ 1, as: UInt8.self)
        count = end &+ 2
    }

    /// The caller has made room.
    @inline(__always) private func copy(_ bytes: RawSpan, to offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let first = source.baseAddress else { return }
            unsafe Word.copy(first, to: storage + offset, source.count)
        }
    }

    @inline(__always) package mutating func appendCRLF() { append("\r\n") }

    package mutating func appendDecimal(_ value: UInt64) {
        var digits = 1
        var rest = value / 10
        while rest > 0 {
            digits &+= 1
            rest /= 10
        }
        guard makeRoom(digits) else { return }
        rest = value
        var position = count &+ digits
        count = position
        for _ in 0..<digits {
            position &-= 1
            let digit = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
            unsafe storage.storeBytes(of: digit, toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
    }

    /// Lower case, without leading zeros: a chunk size.
    package mutating func appendHex(_ value: UInt64) {
        let digits = max(1, (67 &- value.leadingZeroBitCount) &>> 2)
        guard makeRoom(digits) else { return }
        var shift = UInt64(digits &- 1) &* 4
        for _ in 0..<digits {
            append(HeadBuffer.hexDigit(UInt8(truncatingIfNeeded: (value &>> shift) & 15)))
            shift &-= 4
        }
    }

    /// All sixteen digits: half of a trace or request id.
    package mutating func appendFullHex(_ value: UInt64) {
        guard makeRoom(16) else { return }
        store(Digits.hex(UInt32(truncatingIfNeeded: value &>> 32)), at: count)
        store(Digits.hex(UInt32(truncatingIfNeeded: value)), at: count &+ 8)
        count &+= 16
    }

    /// The last of the eight digits of `value`'s low 40 bits in Crockford's base 32: a part of a
    /// ULID. There must be room for eight.
    package mutating func appendBase32(_ value: UInt64, digits: Int) {
        precondition(digits > 0 && digits <= 8, "one digit up to eight")
        guard makeRoom(8) else { return }
        store(Digits.base32(value) &>> UInt64(8 &* (8 &- digits)), at: count)
        count &+= digits
    }

    /// Replaces a byte already written.
    package mutating func patch(_ byte: UInt8, at offset: Int) {
        precondition(offset >= 0 && offset < count, "a byte that was written")
        unsafe storage.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }

    /// Takes back what was written after `count`.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "what was written")
        self.count = count
    }

    /// For writers of other modules that fill memory themselves, such as an address as text:
    /// `body` gets the free part and returns how much it used.
    package mutating func appendRaw(_ body: (UnsafeMutableRawBufferPointer) -> Int) {
        let free = unsafe UnsafeMutableRawBufferPointer(
            start: storage.advanced(by: count), count: capacity &- count)
        let used = unsafe body(free)
        precondition(used >= 0 && used <= capacity - count, "no more than was free")
        count &+= used
    }

    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: storage, count: count))
    }

    @inline(__always) private mutating func makeRoom(_ length: Int) -> Bool {
        if length <= capacity &- count { return true }
        didOverflow = true
        return false
    }

    @inline(__always) private func store(_ word: UInt64, at offset: Int) {
        unsafe storage.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    @inline(__always) private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? value &+ 0x30 : value &+ 0x57
    }
}
