// The histogram against sorted samples, which know every quantile exactly; and merged parts
// against the whole.

import Fixtures
import Testing
import Traffic

@Suite struct LatencyHistogramTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `every quantile is within 1 percent of the exact one`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var samples = (0..<2000).map { _ in generator.latency(bits: 41) }
        var histogram = LatencyHistogram()
        for sample in samples { histogram.record(nanoseconds: sample) }
        samples.sort()
        for q in [0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1] {
            let rank = max(1, Int((q * Double(samples.count)).rounded(.up)))
            let exact = samples[rank - 1]
            let error = abs(histogram.quantile(q) - exact)
            #expect(error <= max(8, exact / 100), "seed \(seed), quantile \(q)")
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `merging parts equals recording the whole, in any order`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var whole = LatencyHistogram()
        var parts = [LatencyHistogram](repeating: LatencyHistogram(), count: 4)
        for _ in 0..<500 {
            let sample = generator.latency(bits: 44)
            whole.record(nanoseconds: sample)
            parts[Int.random(in: 0..<4, using: &generator)].record(nanoseconds: sample)
        }
        var forwards = LatencyHistogram()
        for part in parts { forwards.merge(part) }
        var backwards = LatencyHistogram()
        for part in parts.reversed() { backwards.merge(part) }
        #expect(forwards == whole, "seed \(seed)")
        #expect(backwards == whole, "seed \(seed)")
    }

    @Test func `count, sum, mean and maximum are exact`() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 1_000_003)
        histogram.record(nanoseconds: 7, count: 3)
        #expect(histogram.count == 4)
        #expect(histogram.sum == 1_000_024)
        #expect(histogram.mean == 250_006)
        #expect(histogram.max == 1_000_003)
        #expect(histogram.quantile(1) == 1_000_003)
    }

    @Test func `an empty histogram answers zero everywhere`() {
        var empty = LatencyHistogram()
        empty.merge(LatencyHistogram())
        empty.record(nanoseconds: 5, count: 0)
        #expect(empty == LatencyHistogram())
        #expect(empty.isEmpty)
        #expect(empty.quantile(0.99) == 0)
        #expect(empty.mean == 0)
        #expect(Array(empty.buckets).isEmpty)
        #expect(empty.cumulativeCounts(upTo: [1, 2]) == [0, 0])
    }

    @Test func `a sample beyond the scale keeps its exact maximum and sum`() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 1 << 50)
        histogram.record(nanoseconds: -3)
        #expect(histogram.max == 1 << 50)
        #expect(histogram.sum == 1 << 50)
        #expect(histogram.quantile(1) == 1 << 50)
        #expect(histogram.quantile(0.5) == 8)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `a difference holds what came since`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var histogram = LatencyHistogram()
        for _ in 0..<100 { histogram.record(nanoseconds: generator.latency(bits: 30)) }
        let earlier = histogram
        var since = LatencyHistogram()
        for _ in 0..<100 {
            let sample = generator.latency(bits: 30)
            histogram.record(nanoseconds: sample)
            since.record(nanoseconds: sample)
        }
        let difference = histogram.difference(since: earlier)
        #expect(Array(difference.buckets) == Array(since.buckets), "seed \(seed)")
        #expect(difference.sum == since.sum, "seed \(seed)")
        #expect(Double(difference.max) <= Double(since.max) * 1.016, "seed \(seed)")
    }

    @Test func `a difference to a longer past is empty, not negative`() {
        var longer = LatencyHistogram()
        longer.record(nanoseconds: 5000, count: 2)
        var restarted = LatencyHistogram()
        restarted.record(nanoseconds: 5000)
        #expect(restarted.difference(since: longer) == LatencyHistogram())
    }

    @Test func `buckets name their bounds, lowest first`() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 1_000_000_000)
        histogram.record(nanoseconds: 1024, count: 2)
        let buckets = Array(histogram.buckets)
        #expect(buckets.map(\.count) == [2, 1])
        #expect(buckets.first?.lowerBound == 1024)
        #expect(buckets.first?.upperBound == 1040)
        #expect(buckets.last.map { $0.lowerBound..<$0.upperBound ~= 1_000_000_000 } == true)
    }

    @Test func `cumulative counts grow to the whole`() {
        var histogram = LatencyHistogram()
        for milliseconds in 1...100 as ClosedRange<Int64> {
            histogram.record(nanoseconds: milliseconds * 1_000_000 - 500_000)
        }
        let bounds = [500, 10_000_000, 50_000_000, 1_000_000_000, Int64.max]
        #expect(histogram.cumulativeCounts(upTo: bounds) == [0, 10, 50, 100, 100])
    }
}
