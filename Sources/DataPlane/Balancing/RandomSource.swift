// A small seeded generator (xoshiro would be more than is needed): SplitMix64, Steele et al. 2014.
// One per loop and service; two runs with one seed make the same choices.

package struct RandomSource: Sendable {
    private var state: UInt64

    /// Mixed first: seeds one increment apart would give one sequence, shifted.
    package init(seed: UInt64) { state = mixed(seed ^ 0x6a09_e667_f3bc_c909) }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return mixed(state)
    }

    /// A number in 0..<bound. The bias is below bound / 2⁶⁴.
    package mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in 0..<1 with 53 random bits.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// Spreads every bit of a word over all of it (SplitMix64's finaliser).
package func mixed(_ word: UInt64) -> UInt64 {
    var bits = word
    bits = (bits ^ (bits &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ (bits &>> 27)) &* 0x94d0_49bb_1331_11eb
    return bits ^ (bits &>> 31)
}
