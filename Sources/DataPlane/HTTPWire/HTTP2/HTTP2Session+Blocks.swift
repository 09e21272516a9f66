// Heads as they leave: the library says when a HEADERS frame has its turn, and the block in it is
// ours. So is what frames it, since a large block goes on in CONTINUATION. Interim heads and
// trailers are the library's own; they never need the table.

internal import CNGHTTP2

/// Where the frames of one head are written; it grows as far as heads may.
@safe struct HTTP2BlockRoom: ~Copyable {
    private(set) var memory: UnsafeMutableRawPointer
    private var capacity = 4_096

    init() { unsafe memory = .allocate(byteCount: 4_096, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    mutating func reserve(_ count: Int) {
        if count <= capacity { return }
        unsafe memory.deallocate()
        capacity = count
        unsafe memory = .allocate(byteCount: count, alignment: 16)
    }
}

extension RecordPointer where Record == HTTP2SessionRecord {
    private static var frameBytes: Int { 16_384 }

    /// The library has serialised a head, and may forget its stream next.
    func encodeHead(of stream: RecordPointer<HTTP2StreamRecord>) {
        it.blockBytes = unsafe stream.it.head.takeFields { fields, known in
            unsafe encode(fields, known)
        }
    }

    /// Puts our frames in the place of the library's, where it is a head.
    func writeBlock(of frame: UnsafePointer<UInt8>, _ count: Int) {
        it.leftoverIsBlock = false
        guard count >= 9, unsafe frame[3] == UInt8(PENSTOCK_H2_HEADERS) else { return }
        guard let written = unsafe it.blockBytes ?? withOwnSize(frame, count) else { return }
        it.blockBytes = nil
        unsafe nameFrames(written, after: frame)
        unsafe it.leftover = UnsafePointer(
            it.loop.it.block.memory.assumingMemoryBound(to: UInt8.self))
        it.leftoverCount = written
        it.leftoverIsBlock = true
    }

    /// Room is left for the header of each frame; blocks are moved apart when there are several.
    private func encode(
        _ fields: UnsafeBufferPointer<nghttp2_nv>, _ known: UnsafePointer<UInt8>
    ) -> Int {
        let bound = unsafe HPACKEncoder.bound(fields)
        it.loop.it.block.reserve(bound &+ 9 &* (bound / Self.frameBytes &+ 2))
        let memory = unsafe it.loop.it.block.memory
        return unsafe separate(it.encoder.encode(fields, known, into: memory + 9))
    }

    /// Makes room between the frames of a block that lies behind room for the first one's header.
    ///
    /// - Returns: how many bytes they take together.
    private func separate(_ count: Int) -> Int {
        let memory = unsafe it.loop.it.block.memory
        let frames = max(1, (count &+ Self.frameBytes &- 1) / Self.frameBytes)
        for index in stride(from: frames &- 1, to: 0, by: -1) {
            let start = index &* Self.frameBytes
            let source = unsafe memory + (9 &+ start)
            unsafe (source + 9 &* index).copyMemory(
                from: source, byteCount: min(Self.frameBytes, count &- start))
        }
        return count &+ 9 &* frames
    }

    /// The library tells of the size of its own table, which is not the one that counts: ours takes
    /// its place. Nil when neither has anything to tell.
    private func withOwnSize(_ frame: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        var start = 9
        while start < count, unsafe frame[start] & 0xE0 == 0x20 {
            // RFC 7541 5.1: what does not fit goes on as long as the high bit is set.
            let goesOn = unsafe frame[start] & 0x1F == 0x1F
            start &+= 1
            while goesOn, start < count, unsafe frame[start] & 0x80 != 0 { start &+= 1 }
            if goesOn { start &+= 1 }
        }
        guard start <= count else { return nil }
        // At most one frame more than the library's one.
        it.loop.it.block.reserve(count &+ HPACKEncoder.sizeBytes &+ 9)
        let memory = unsafe it.loop.it.block.memory
        let told = unsafe it.encoder.begin(into: memory + 9)
        guard start > 9 || told > 0 else { return nil }
        unsafe (memory + (9 &+ told)).copyMemory(from: frame + start, byteCount: count &- start)
        return separate(told &+ count &- start)
    }

    /// Writes the headers of the frames, with the flags and the stream of the library's.
    private func nameFrames(_ count: Int, after frame: UnsafePointer<UInt8>) {
        let memory = unsafe it.loop.it.block.memory
        let end = UInt8(NGHTTP2_FLAG_END_HEADERS.rawValue)
        var start = 0
        while start < count {
            let length = min(Self.frameBytes, count &- start &- 9)
            let place = unsafe memory + start
            unsafe place.storeBytes(of: UInt8(length &>> 16), as: UInt8.self)
            unsafe place.storeBytes(
                of: UInt16(truncatingIfNeeded: length).bigEndian, toByteOffset: 1, as: UInt16.self)
            let isFirst = start == 0
            let type = isFirst ? PENSTOCK_H2_HEADERS : PENSTOCK_H2_CONTINUATION
            unsafe place.storeBytes(of: UInt8(type), toByteOffset: 3, as: UInt8.self)
            start &+= 9 &+ length
            // A block of the library's that goes on in frames of its own has not ended here.
            let last = unsafe start < count ? 0 : frame[4] & end
            let flags = unsafe isFirst ? frame[4] & ~end | last : last
            unsafe place.storeBytes(of: flags, toByteOffset: 4, as: UInt8.self)
            unsafe (place + 5).copyMemory(from: frame + 5, byteCount: 4)
        }
    }

    /// What did not fit waits where no other session writes.
    func keepBlock() {
        it.leftoverIsBlock = false
        it.keptFrames.free()
        unsafe it.keptFrames.append(
            UnsafeRawBufferPointer(start: it.leftover, count: it.leftoverCount))
        unsafe it.keptFrames.withBytes { bytes in
            unsafe it.leftover = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        }
    }
}
