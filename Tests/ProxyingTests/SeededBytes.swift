// Bytes for hostile input: random, but with more of what is near the edges of UTF-8 and JSON than
// chance would give.

struct SeededBytes {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func bytes(count: Int) -> [UInt8] {
        let edges: [UInt8] = [
            0x00, 0x1f, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf,
            0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
        ]
        return (0..<count).map { _ in
            let number = next()
            return number & 3 == 0
                ? UInt8(truncatingIfNeeded: number >> 32 & 0x7f)
                : edges[Int((number >> 8) % UInt64(edges.count))]
        }
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
