// A loop's own random numbers, for ids and jitter: splitmix64 (Steele, Lea, Flood 2014). Unique,
// not secret; what must be secret is keyed with SipHash.

struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    /// Mixed once: seeds that differ by the increment would give the same numbers, shifted.
    init(seed: UInt64) {
        state = seed
        state = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// A number in `0..<bound`, by multiplication (Lemire 2019; bias below 2^-40 for small bounds).
    mutating func next(below bound: UInt64) -> UInt64 {
        next().multipliedFullWidth(by: bound).high
    }
}
