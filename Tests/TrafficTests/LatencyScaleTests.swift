// The bucket arithmetic: gapless, monotonic, and within the error it promises.

import Testing
import Traffic

@Suite struct LatencyScaleTests {
    @Test func `buckets follow each other without gap or overlap`() {
        for bucket in 0..<LatencyScale.buckets {
            let lower = LatencyScale.lowerBound(of: bucket)
            let upper = LatencyScale.lowerBound(of: bucket + 1)
            #expect(lower < upper)
            #expect(LatencyScale.bucket(of: lower) == bucket)
            #expect(LatencyScale.bucket(of: upper - 1) == bucket)
        }
        #expect(LatencyScale.lowerBound(of: LatencyScale.buckets) == LatencyScale.end)
    }

    @Test func `a bucket's middle is within 1 percent of all its values from 1 µs up`() {
        for bucket in LatencyScale.bucket(of: 1000)..<LatencyScale.buckets {
            let lower = max(1000, LatencyScale.lowerBound(of: bucket))
            let upper = LatencyScale.lowerBound(of: bucket + 1) - 1
            let middle = LatencyScale.midpoint(of: bucket)
            #expect(Double(abs(middle - lower)) <= Double(lower) * 0.01)
            #expect(Double(abs(upper - middle)) <= Double(upper) * 0.01)
        }
    }

    @Test(arguments: [
        (Int64.min, 0), (-1, 0), (0, 0), (15, 0), (16, 1), (1023, 63), (1024, 64), (2048, 128),
        ((1 << 42) - 1, 2111), (1 << 42, 2111), (.max, 2111),
    ])
    func `what lies outside the scale is clamped to its ends`(value: Int64, bucket: Int) {
        #expect(LatencyScale.bucket(of: value) == bucket)
    }
}
