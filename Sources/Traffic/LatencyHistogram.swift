// How long things took, as a value: merged over loops, endpoints and revisions by whoever reads a
// report. Buckets are `LatencyScale`'s, so a quantile is within 1 % of the truth (0.79 %) from
// 1 µs to 73 minutes, within 8 ns below, and clamped above. Storage covers only the octaves that
// have samples: an empty histogram owns no memory.

package struct LatencyHistogram: Sendable, Equatable {
    /// One bucket that has samples: `lowerBound <= latency < upperBound`, nanoseconds.
    package struct Bucket: Sendable, Equatable {
        package let lowerBound: Int64
        package let upperBound: Int64
        package let count: UInt64
    }

    package private(set) var count: UInt64 = 0
    /// Nanoseconds, exact; wraps after 584 years of latency in all, which a rate survives.
    package private(set) var sum: UInt64 = 0
    /// The largest sample, exact.
    package private(set) var max: Int64 = 0

    /// Always begins and ends with a block that has samples, so that equal contents are equal.
    private var cells: [UInt64] = []
    private var firstBlock = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Nanoseconds; zero when there is no sample.
    package var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

    package mutating func record(nanoseconds: Int64, count times: UInt64 = 1) {
        let value = Swift.max(0, nanoseconds)
        add(times, toBucket: LatencyScale.bucket(of: value))
        sum &+= UInt64(value) &* times
        if times > 0 { max = Swift.max(max, value) }
    }

    /// The latency that a share `q` (0...1) of all samples does not exceed; zero without samples.
    package func quantile(_ q: Double) -> Int64 {
        guard count > 0 else { return 0 }
        let share = Swift.max(0, Swift.min(q, 1))
        let rank = Swift.max(1, UInt64((share * Double(count)).rounded(.up)))
        // The largest sample is known exactly.
        if rank >= count { return max }
        var seen: UInt64 = 0
        for index in cells.indices {
            seen &+= cells[index]
            if seen >= rank {
                return Swift.min(LatencyScale.midpoint(of: index + firstCell), max)
            }
        }
        return max
    }

    package mutating func merge(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        cover(blocks: other.firstBlock..<other.endBlock)
        let shift = other.firstCell - firstCell
        for index in other.cells.indices { cells[index + shift] &+= other.cells[index] }
        count &+= other.count
        sum &+= other.sum
        max = Swift.max(max, other.max)
    }

    /// What was recorded since an earlier copy of the same histogram. A bucket in which the earlier
    /// one has more (a restart) counts as zero. The largest sample is known to its bucket only:
    /// `max` is that bucket's end, or the exact maximum if that is lower.
    package func difference(since earlier: LatencyHistogram) -> LatencyHistogram {
        var result = LatencyHistogram()
        for index in cells.indices where cells[index] > 0 {
            let bucket = index + firstCell
            let before = earlier.cell(bucket)
            guard cells[index] > before else { continue }
            result.add(cells[index] - before, toBucket: bucket)
            result.max = Swift.min(max, LatencyScale.lowerBound(of: bucket + 1) - 1)
            if bucket == LatencyScale.buckets - 1 { result.max = max }
        }
        result.sum = result.count == 0 ? 0 : sum &- earlier.sum
        return result
    }

    /// Adds what a shared meter counted: samples of one bucket. `addTotals` brings the rest.
    package mutating func add(_ times: UInt64, toBucket bucket: Int) {
        guard times > 0 else { return }
        let block = bucket / LatencyScale.bucketsPerBlock
        cover(blocks: block..<(block + 1))
        cells[bucket - firstCell] &+= times
        count &+= times
    }

    package mutating func addTotals(sum moreNanoseconds: UInt64, max largest: Int64) {
        sum &+= moreNanoseconds
        max = Swift.max(max, largest)
    }

    private var firstCell: Int { firstBlock * LatencyScale.bucketsPerBlock }
    private var endBlock: Int { firstBlock + cells.count / LatencyScale.bucketsPerBlock }

    private func cell(_ bucket: Int) -> UInt64 {
        let index = bucket - firstCell
        return cells.indices.contains(index) ? cells[index] : 0
    }

    private mutating func cover(blocks wanted: Range<Int>) {
        if cells.isEmpty {
            firstBlock = wanted.lowerBound
            cells = Array(repeating: 0, count: wanted.count * LatencyScale.bucketsPerBlock)
            return
        }
        if wanted.lowerBound < firstBlock {
            let missing = (firstBlock - wanted.lowerBound) * LatencyScale.bucketsPerBlock
            cells.insert(contentsOf: repeatElement(0, count: missing), at: 0)
            firstBlock = wanted.lowerBound
        }
        if wanted.upperBound > endBlock {
            let missing = (wanted.upperBound - endBlock) * LatencyScale.bucketsPerBlock
            cells.append(contentsOf: repeatElement(0, count: missing))
        }
    }
}

// Reading

extension LatencyHistogram {
    /// The buckets that have samples, lowest first.
    package var buckets: some Sequence<Bucket> {
        cells.indices.lazy.filter { cells[$0] > 0 }.map { index in
            Bucket(
                lowerBound: LatencyScale.lowerBound(of: index + firstCell),
                upperBound: LatencyScale.lowerBound(of: index + firstCell + 1),
                count: cells[index])
        }
    }

    /// Samples at or below each of the bounds (nanoseconds, ascending), as Prometheus' `le` wants
    /// them. A bucket counts as its midpoint, so a bound is off by 0.79 % of itself at most.
    package func cumulativeCounts(upTo bounds: [Int64]) -> [UInt64] {
        var result: [UInt64] = []
        result.reserveCapacity(bounds.count)
        var index = 0
        var seen: UInt64 = 0
        for bound in bounds {
            while index < cells.count, LatencyScale.midpoint(of: index + firstCell) <= bound {
                seen &+= cells[index]
                index += 1
            }
            result.append(seen)
        }
        return result
    }
}
