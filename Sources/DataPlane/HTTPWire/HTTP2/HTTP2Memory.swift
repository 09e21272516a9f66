// Small pieces of memory for the library, which takes some ten of them for a request: kept by size
// when it gives them back, so that most cost a few instructions. One for all sessions of a loop, on
// the loop's thread; what is kept is bounded for each size.

internal import CNGHTTP2

@safe struct HTTP2Memory: ~Copyable {
    /// Sizes go up in steps of this, which is also what a piece is aligned to and its header takes.
    private static let step = 16
    private static let headerBytes = 16
    static let sizes = Limits.pooledBytes / step + 1

    /// The first kept piece of each size; its first word is the next one.
    private let kept: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let counts: UnsafeMutablePointer<Int32>

    init() {
        unsafe kept = .allocate(capacity: HTTP2Memory.sizes)
        unsafe kept.initialize(repeating: nil, count: HTTP2Memory.sizes)
        unsafe counts = .allocate(capacity: HTTP2Memory.sizes)
        unsafe counts.initialize(repeating: 0, count: HTTP2Memory.sizes)
    }

    deinit {
        for size in 0..<HTTP2Memory.sizes {
            while let piece = unsafe kept[size] {
                unsafe kept[size] = unsafe HTTP2Memory.next(piece)
                unsafe (piece - HTTP2Memory.headerBytes).deallocate()
            }
        }
        unsafe kept.deallocate()
        unsafe counts.deallocate()
    }

    /// How many pieces are kept, for tests.
    var keptCount: Int {
        (0..<HTTP2Memory.sizes).reduce(0) { sum, size in unsafe sum &+ Int(counts[size]) }
    }

    /// A piece of at least `count` bytes.
    mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
        let size = (count &+ (HTTP2Memory.step &- 1)) / HTTP2Memory.step
        if size < HTTP2Memory.sizes, let piece = unsafe kept[size] {
            unsafe kept[size] = unsafe HTTP2Memory.next(piece)
            unsafe counts[size] &-= 1
            return unsafe piece
        }
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: HTTP2Memory.headerBytes &+ size &* HTTP2Memory.step, alignment: 16)
        unsafe memory.storeBytes(of: size, as: Int.self)
        return unsafe memory + HTTP2Memory.headerBytes
    }

    mutating func give(_ piece: UnsafeMutableRawPointer) {
        let size = unsafe HTTP2Memory.size(of: piece)
        if size > 0, size < HTTP2Memory.sizes, unsafe counts[size] < Limits.pooledPieces {
            unsafe piece.storeBytes(of: kept[size], as: UnsafeMutableRawPointer?.self)
            unsafe kept[size] = unsafe piece
            unsafe counts[size] &+= 1
        } else {
            unsafe (piece - HTTP2Memory.headerBytes).deallocate()
        }
    }

    /// The piece, or a larger one with the same bytes.
    mutating func resize(
        _ piece: UnsafeMutableRawPointer, to count: Int
    ) -> UnsafeMutableRawPointer {
        let room = unsafe HTTP2Memory.size(of: piece) &* HTTP2Memory.step
        if count <= room { return unsafe piece }
        let larger = unsafe take(count)
        unsafe larger.copyMemory(from: piece, byteCount: room)
        unsafe give(piece)
        return unsafe larger
    }

    private static func size(of piece: UnsafeMutableRawPointer) -> Int {
        unsafe (piece - headerBytes).load(as: Int.self)
    }

    private static func next(_ piece: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        unsafe piece.load(as: UnsafeMutableRawPointer?.self)
    }
}

extension RecordPointer where Record == HTTP2LoopRecord {
    /// The functions by which the library takes and gives back memory of this loop.
    var allocator: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: raw,
            malloc: { count, user in
                unsafe RecordPointer<HTTP2LoopRecord>(user)?.it.memory.take(count)
            },
            free: { piece, user in
                guard let piece = unsafe piece else { return }
                unsafe RecordPointer<HTTP2LoopRecord>(user)?.it.memory.give(piece)
            },
            calloc: { count, size, user in
                let (bytes, isTooLarge) = count.multipliedReportingOverflow(by: size)
                if isTooLarge { return nil }
                guard let piece = unsafe RecordPointer<HTTP2LoopRecord>(user)?.it.memory.take(bytes)
                else { return nil }
                unsafe piece.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
                return unsafe piece
            },
            realloc: { piece, count, user in
                guard let loop = unsafe RecordPointer<HTTP2LoopRecord>(user) else { return nil }
                guard let piece = unsafe piece else { return unsafe loop.it.memory.take(count) }
                return unsafe loop.it.memory.resize(piece, to: count)
            })
    }
}
