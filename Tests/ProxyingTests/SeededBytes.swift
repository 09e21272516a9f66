// Bytes for hostile input: random, but with more of what is near the edges of UTF-8 and JSON than
// chance would give.

import Fixtures

struct SeededBytes {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func bytes(count: Int) -> [UInt8] {
        let edges: [UInt8] = [
            0x00, 0x1f, 0x22, 0x5c, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf,
            0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
        ]
        return (0..<count).map { _ in
            let number = generator.next()
            return number & 3 == 0
                ? UInt8(truncatingIfNeeded: number >> 32 & 0x7f)
                : edges[Int((number >> 8) % UInt64(edges.count))]
        }
    }
}
