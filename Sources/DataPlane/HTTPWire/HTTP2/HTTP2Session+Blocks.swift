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

    /// Puts our frames in the place of the library's, where it is a head.
    func writeBlock(of frame: UnsafePointer<UInt8>, _ count: Int) {
        it.leftoverIsBlock = false
        guard count >= 9, unsafe frame[3] == UInt8(PENSTOCK_H2_HEADERS) else { return }
        let header = unsafe UnsafeRawPointer(frame).loadUnaligned(
            fromByteOffset: 5, as: UInt32.self)
        let written: Int?
        if let stream = stream(Int32(truncatingIfNeeded: header.byteSwapped)),
            stream.it.head.fieldCount > 0
        {
            written = unsafe stream.it.head.takeFields { fields, known in
                unsafe encode(fields, known, flags: frame[4])
            }
        } else {
            written = unsafe withoutSize(frame, count)
        }
        guard let written else { return }
        unsafe (it.loop.it.block.memory + 5).copyMemory(from: frame + 5, byteCount: 4)
        nameFrames(written)
        unsafe it.leftover = UnsafePointer(
            it.loop.it.block.memory.assumingMemoryBound(to: UInt8.self))
        it.leftoverCount = written
        it.leftoverIsBlock = true
    }

    /// Room is left for the header of each frame; blocks are moved apart when there are several.
    private func encode(
        _ fields: UnsafeBufferPointer<nghttp2_nv>, _ known: UnsafePointer<UInt8>, flags: UInt8
    ) -> Int {
        let bound = unsafe HPACKEncoder.bound(fields)
        it.loop.it.block.reserve(bound &+ 9 &* (bound / Self.frameBytes &+ 2))
        let memory = unsafe it.loop.it.block.memory
        let count = unsafe it.encoder.encode(fields, known, into: memory + 9)
        let frames = max(1, (count &+ Self.frameBytes &- 1) / Self.frameBytes)
        for index in stride(from: frames &- 1, to: 0, by: -1) {
            let start = index &* Self.frameBytes
            let source = unsafe memory + (9 &+ start)
            unsafe (source + 9 &* index).copyMemory(
                from: source, byteCount: min(Self.frameBytes, count &- start))
        }
        let isWhole = frames == 1
        let kept = isWhole ? flags : flags & ~UInt8(NGHTTP2_FLAG_END_HEADERS.rawValue)
        unsafe memory.storeBytes(of: kept, toByteOffset: 4, as: UInt8.self)
        return count &+ 9 &* frames
    }

    /// The library tells of the size of its own table, which is not the one that counts. Nil when
    /// the frame says nothing of it.
    private func withoutSize(_ frame: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        var start = 9
        while start < count, unsafe frame[start] & 0xE0 == 0x20 {
            // RFC 7541 5.1: what does not fit the first byte goes on as long as the high bit is set.
            let goesOn = unsafe frame[start] & 0x1F == 0x1F
            start &+= 1
            while goesOn, start < count, unsafe frame[start] & 0x80 != 0 { start &+= 1 }
            if goesOn { start &+= 1 }
        }
        guard start > 9, start <= count else { return nil }
        it.loop.it.block.reserve(count)
        let memory = unsafe it.loop.it.block.memory
        unsafe memory.storeBytes(of: frame[4], toByteOffset: 4, as: UInt8.self)
        unsafe (memory + 9).copyMemory(from: frame + start, byteCount: count &- start)
        return count &- start &+ 9
    }

    /// Writes the headers of the frames. The first has its flags and its stream already.
    private func nameFrames(_ count: Int) {
        let memory = unsafe it.loop.it.block.memory
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
            if isFirst { continue }
            let ends = start >= count ? UInt8(NGHTTP2_FLAG_END_HEADERS.rawValue) : 0
            unsafe place.storeBytes(of: ends, toByteOffset: 4, as: UInt8.self)
            unsafe (place + 5).copyMemory(from: memory + 5, byteCount: 4)
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
