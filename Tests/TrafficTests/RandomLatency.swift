// Latencies by chance, for histograms and meters.

import Fixtures

extension SeededGenerator {
    /// A latency of any order of magnitude up to 2^`bits` nanoseconds.
    mutating func latency(bits: UInt64) -> Int64 {
        Int64(next() >> (64 - UInt64.random(in: 1...bits, using: &self)))
    }
}
