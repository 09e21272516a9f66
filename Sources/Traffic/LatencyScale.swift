// Where a latency falls: the bucket arithmetic that the histogram value and the shared meters have
// in common. Log-linear: every octave from 1024 ns up is cut into 64 equal buckets, so a bucket is
// at most 1/64 as wide as its values and its midpoint is off by at most 1/128 (0.79 %). What lies
// below 1024 ns is cut into 64 buckets of 16 ns.

package enum LatencyScale {
    /// Buckets in one block; a block is one octave, block 0 is everything below 1024 ns.
    package static let bucketsPerBlock = 64
    /// Up to 2^42 ns (73 minutes): beyond the longest stream worth telling apart.
    package static let blocks = 33
    package static let buckets = blocks * bucketsPerBlock
    /// First value beyond the scale; it and everything above count in the last bucket.
    package static let end: Int64 = 1 << 42

    /// The bucket of a latency. A negative one (a clock that stepped) counts as zero.
    @inline(__always)
    package static func bucket(of nanoseconds: Int64) -> Int {
        let value = UInt64(truncatingIfNeeded: max(0, min(nanoseconds, end - 1)))
        if value < 1024 { return Int(truncatingIfNeeded: value >> 4) }
        let octave = 63 &- value.leadingZeroBitCount
        let inOctave = Int(truncatingIfNeeded: value >> UInt64(octave &- 6)) & 63
        return (octave &- 9) &* bucketsPerBlock &+ inOctave
    }

    /// The smallest value of a bucket; for `buckets`, the end of the scale.
    package static func lowerBound(of bucket: Int) -> Int64 {
        let (block, place) = bucket.quotientAndRemainder(dividingBy: bucketsPerBlock)
        if block == 0 { return Int64(place) << 4 }
        return Int64(bucketsPerBlock + place) << Int64(block + 3)
    }

    /// What a bucket stands for: its middle.
    package static func midpoint(of bucket: Int) -> Int64 {
        (lowerBound(of: bucket) + lowerBound(of: bucket + 1)) / 2
    }
}
