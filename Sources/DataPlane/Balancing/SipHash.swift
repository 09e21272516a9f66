// SipHash-2-4 (Aumasson and Bernstein 2012): a keyed hash that a client who cannot see the key can
// neither predict nor forge. Tags endpoints, signs session cookies, assigns clients to revisions.

/// Sixteen secret bytes, kept in the state directory.
package struct StickyKey: Sendable, Equatable {
    let low: UInt64
    let high: UInt64

    /// - Precondition: sixteen bytes.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 16, "a sticky key has sixteen bytes")
        low = StickyKey.word(bytes[..<8])
        high = StickyKey.word(bytes[8...])
    }

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A key for one purpose, so that no hash made for one can serve another.
    func derived(_ purpose: UInt64) -> StickyKey {
        StickyKey(
            low: SipHash.hash(purpose, 0, key: self), high: SipHash.hash(purpose, 1, key: self))
    }
}

package struct SipHash {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    /// The hash of any bytes.
    package static func hash(_ bytes: RawSpan, key: StickyKey) -> UInt64 {
        var state = SipHash(key: key)
        let whole = bytes.byteCount & ~7
        var offset = 0
        while offset < whole {
            state.absorb(word(bytes, at: offset))
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.byteCount) << 56
        while offset < bytes.byteCount {
            last |= UInt64(byte(bytes, at: offset)) << UInt64(8 * (offset & 7))
            offset += 1
        }
        return state.finish(last)
    }

    /// The hash of sixteen bytes: two little-endian words.
    package static func hash(_ first: UInt64, _ second: UInt64, key: StickyKey) -> UInt64 {
        var state = SipHash(key: key)
        state.absorb(first)
        state.absorb(second)
        return state.finish(16 << 56)
    }

    private init(key: StickyKey) {
        v0 = key.low ^ 0x736f_6d65_7073_6575
        v1 = key.high ^ 0x646f_7261_6e64_6f6d
        v2 = key.low ^ 0x6c79_6765_6e65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    private mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    private mutating func finish(_ last: UInt64) -> UInt64 {
        absorb(last)
        v2 ^= 0xff
        round()
        round()
        round()
        round()
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = SipHash.rotate(v1, 13) ^ v0
        v3 = SipHash.rotate(v3, 16) ^ v2
        v0 = SipHash.rotate(v0, 32)
        v2 &+= v1
        v0 &+= v3
        v1 = SipHash.rotate(v1, 17) ^ v2
        v3 = SipHash.rotate(v3, 21) ^ v0
        v2 = SipHash.rotate(v2, 32)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
        word &<< count | word &>> (64 &- count)
    }
}
