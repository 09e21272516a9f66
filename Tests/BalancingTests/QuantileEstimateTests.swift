// The estimate of one quantile, against samples whose quantiles are known.

import Fixtures
import Testing

@testable import Balancing

struct QuantileEstimateTests {
    @Test func `it says nothing before it has seen enough`() {
        var estimate = QuantileEstimate()
        for _ in 0..<(Limits.quantileSamples - 1) { estimate.record(1000, quantile: 0.95) }
        #expect(estimate.nanoseconds == nil)
        estimate.record(1000, quantile: 0.95)
        #expect(estimate.nanoseconds != nil)
    }

    @Test(arguments: [0.5, 0.9, 0.95, 0.99])
    func `it comes near the quantile of log-uniform samples`(quantile: Double) {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &generator)
        var random = SeededGenerator(seed: seed)
        var estimate = QuantileEstimate()
        for _ in 0..<20_000 {
            let exponent = Double(random.next() >> 11) / Double(1 << 53)
            // One to a hundred milliseconds, uniform in the logarithm.
            let sample = 1_000_000 * Logarithms.exp(exponent * Logarithms.ln(100))
            estimate.record(Int64(sample), quantile: quantile)
        }
        let truth = 1_000_000 * Logarithms.exp(quantile * Logarithms.ln(100))
        let found = Double(estimate.nanoseconds ?? 0)
        #expect(found > truth / 1.8 && found < truth * 1.8, "seed \(seed): \(found) for \(truth)")
    }

    @Test func `it follows when everything becomes ten times slower`() {
        var estimate = QuantileEstimate()
        for _ in 0..<1000 { estimate.record(1_000_000, quantile: 0.95) }
        for _ in 0..<200 { estimate.record(10_000_000, quantile: 0.95) }
        #expect((estimate.nanoseconds ?? 0) > 8_000_000)
    }

    @Test func `durations below one nanosecond count as one`() {
        var estimate = QuantileEstimate()
        for _ in 0..<100 { estimate.record(-5, quantile: 0.95) }
        #expect((estimate.nanoseconds ?? 9) <= 2)
    }
}
