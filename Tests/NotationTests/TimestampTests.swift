// Moments by arithmetic, held against the formatter that everybody knows.

import Foundation
import Notation
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0 as Int64, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (Int64.max, "9999-12-31T23:59:59.999Z"), (Int64.min, "0000-01-01T00:00:00.000Z"),
    ])
    func `known moments are written as everybody writes them`(at: Int64, text: String) {
        #expect(Timestamp.text(milliseconds: at) == text)
    }

    @Test func `any moment is what the formatter says`() {
        let seed: UInt64 = 42
        var state = seed
        for _ in 0..<2000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let milliseconds = Int64(state >> 20) % 8_000_000_000_000 - 2_000_000_000_000
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            // The formatter cuts where binary fractions fall short of the millisecond.
            let near = date.addingTimeInterval(0.0001)
            #expect(
                Timestamp.text(milliseconds: milliseconds) == near.formatted(style),
                "seed \(seed), \(milliseconds)")
        }
    }
}
